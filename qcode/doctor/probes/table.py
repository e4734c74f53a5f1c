"""All probes, in their order: what gives the rates first, then what costs most when it is wrong."""

from qcode.doctor.base import Probe

PROBES: tuple[Probe, ...] = ()

DEEP: tuple[Probe, ...] = ()
"""Of quality: minutes, and only when they are asked for."""
