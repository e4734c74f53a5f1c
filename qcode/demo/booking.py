"""The texts of the demo's project: a booking desk, its tests, and one real bug."""

TESTS = "tests"
"""Folder of the tests."""

STAY = '''\
"""A stay: from the day of arrival to the day of departure."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Stay:
    """The guest sleeps here every night but the one of the departure."""

    arrival: date
    departure: date

    def __post_init__(self) -> None:
        if self.departure <= self.arrival:
            raise ValueError(f"departure {self.departure} is not after arrival {self.arrival}")

    @property
    def nights(self) -> int:
        return (self.departure - self.arrival).days

    def overlaps(self, other: "Stay") -> bool:
        """Whether both need a bed in the same night."""
        return self.arrival <= other.departure and other.arrival <= self.departure
'''

ROOMS = '''\
"""Rooms and who sleeps in them."""

from .stay import Stay


class RoomTaken(Exception):
    """The room is booked for at least one of the nights."""


class Room:
    def __init__(self, name: str, price: int) -> None:
        self.name = name
        self.price = price
        self.stays: list[Stay] = []

    def is_free(self, stay: Stay) -> bool:
        return not any(stay.overlaps(booked) for booked in self.stays)

    def book(self, stay: Stay) -> int:
        """Book the room and return what the stay costs."""
        if not self.is_free(stay):
            raise RoomTaken(f"{self.name} is taken between {stay.arrival} and {stay.departure}")
        self.stays.append(stay)
        return stay.nights * self.price


def free_rooms(rooms: list[Room], stay: Stay) -> list[str]:
    """Names of the rooms that are free for the whole stay, the cheapest first."""
    return [room.name for room in sorted(rooms, key=lambda room: room.price) if room.is_free(stay)]
'''

TEST_STAY = """\
import unittest
from datetime import date

from hotel.stay import Stay


class StayTest(unittest.TestCase):
    def test_nights_are_counted_without_the_day_of_departure(self) -> None:
        self.assertEqual(Stay(date(2026, 5, 4), date(2026, 5, 7)).nights, 3)

    def test_a_departure_before_the_arrival_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            Stay(date(2026, 5, 7), date(2026, 5, 4))
"""

TEST_ROOMS = """\
import unittest
from datetime import date

from hotel.rooms import Room, RoomTaken, free_rooms
from hotel.stay import Stay


def may(first: int, last: int) -> Stay:
    return Stay(date(2026, 5, first), date(2026, 5, last))


class RoomTest(unittest.TestCase):
    def test_a_stay_costs_its_nights(self) -> None:
        self.assertEqual(Room("garden", 80).book(may(4, 7)), 240)

    def test_two_guests_cannot_share_a_night(self) -> None:
        room = Room("garden", 80)
        room.book(may(4, 7))
        for stay in (may(5, 6), may(3, 5), may(6, 9), may(1, 30)):
            with self.assertRaises(RoomTaken):
                room.book(stay)

    def test_a_room_is_free_again_on_the_day_of_departure(self) -> None:
        room = Room("garden", 80)
        room.book(may(4, 7))
        self.assertEqual(room.book(may(7, 9)), 160)
        self.assertEqual(room.book(may(2, 4)), 160)

    def test_free_rooms_are_listed_from_the_cheapest(self) -> None:
        rooms = [Room("tower", 120), Room("garden", 80), Room("yard", 60)]
        rooms[2].book(may(4, 7))
        self.assertEqual(free_rooms(rooms, may(5, 6)), ["garden", "tower"])
"""

FILES = {
    ".gitignore": "__pycache__/\n",
    "README.md": "# hotel\n\nA booking desk: rooms, stays, and who gets which bed.\n",
    "hotel/__init__.py": "",
    "hotel/stay.py": STAY,
    "hotel/rooms.py": ROOMS,
    f"{TESTS}/__init__.py": "",
    f"{TESTS}/test_stay.py": TEST_STAY,
    f"{TESTS}/test_rooms.py": TEST_ROOMS,
}
