"""The probes of a set-up's mechanics, in their order: each may stand on notes of those before."""

from qcode.doctor.base import Probe
from qcode.doctor.probes.cache_type import CacheType
from qcode.doctor.probes.context import Context
from qcode.doctor.probes.drafts import Drafts
from qcode.doctor.probes.rates import RatesProbe
from qcode.doctor.probes.reuse import Reuse
from qcode.doctor.probes.slots import Slots
from qcode.doctor.probes.template import Template
from qcode.doctor.probes.truncation import Truncation

MECHANICS: tuple[Probe, ...] = (
    Slots(),
    Context(),
    Template(),
    RatesProbe(),  # the first that costs time; by it the rest is fitted
    Reuse(),
    Truncation(),
    CacheType(),
    Drafts(),
)
