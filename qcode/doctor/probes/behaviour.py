"""The probes of behaviour, in their order: what the later ones lean on comes first."""

from qcode.doctor.base import Probe
from qcode.doctor.probes.budgets import BudgetProbe
from qcode.doctor.probes.calls import CallAfterThinkingProbe, ParallelCallsProbe, ToolCallProbe
from qcode.doctor.probes.limits import EmptyProbe, LimitProbe
from qcode.doctor.probes.sampling import CutoffsProbe, PenaltiesProbe
from qcode.doctor.probes.sight import SightProbe
from qcode.doctor.probes.structure import SchemaProbe
from qcode.doctor.probes.thinking import SeparateProbe, SwitchProbe
from qcode.doctor.probes.wrapper import WrapperProbe

BEHAVIOUR: tuple[Probe, ...] = (
    SwitchProbe(),  # the others know by it how much room an answer needs
    ToolCallProbe(),
    SeparateProbe(),
    CallAfterThinkingProbe(),
    ParallelCallsProbe(),
    BudgetProbe(),
    LimitProbe(),
    EmptyProbe(),
    SightProbe(),
    WrapperProbe(),
    CutoffsProbe(),
    PenaltiesProbe(),
    SchemaProbe(),
)
