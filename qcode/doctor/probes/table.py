"""All probes, in their order: what costs no time first, so that whoever is impatient has it; then
what gives the rates, then what costs most when it is wrong."""

from qcode.doctor.base import Probe
from qcode.doctor.probes import deep
from qcode.doctor.probes.behaviour import BEHAVIOUR
from qcode.doctor.probes.mechanics import MECHANICS

PROBES: tuple[Probe, ...] = (*MECHANICS, *BEHAVIOUR)

DEEP: tuple[Probe, ...] = tuple(deep.DEEP)
"""Of quality: minutes, and only when they are asked for."""
