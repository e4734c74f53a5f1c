"""The chat template: two turns rendered, and what is missing in them. No model runs for it."""

from qcode.doctor.base import Finding, Result, Subject, Verdict
from qcode.doctor.probes import faults
from qcode.doctor.probes.origin import origin
from qcode.doctor.probes.printing import printed, printer
from qcode.doctor.probes.templates import known_faults
from qcode.server.ask import NoAnswer
from qcode.server.probe import Render

DROPS = "template.drops"
"""A note: True = what was thought is not printed, and so read again; told here, once."""


class Template:
    """A question, a call with its result, a second question: each as the model would read it."""

    name = "template"
    label = "rendering two turns"

    def absent(self, subject: Subject) -> str:
        """Where nothing is rendered."""
        return "" if printer(subject) else "the server does not render"

    def estimate(self, subject: Subject) -> float:
        """No token is computed."""
        return 0.2

    async def run(self, subject: Subject) -> Result:
        """What is seen in the text, then what is known of the template by its own text."""
        render = printer(subject)
        assert render is not None  # or it would be absent
        source = str(subject.props.get("chat_template") or "")
        try:
            prompts = await printed(render, subject.facts.reasoning_field)
        except NoAnswer as refused:
            if not await _renders(render):
                said = f"nothing is rendered here: {refused}"
                return Result(probe=self.name, verdict="unclear", said=said)
            return self._refused(subject, str(refused))
        subject.notes[DROPS] = faults.drops_reasoning(prompts)
        known = known_faults(source)
        is_missing = any(finding.id == "template.missing" for finding in known)
        seen = () if is_missing else faults.found(subject.facts, prompts)
        findings = (*known, *seen)
        if findings and subject.facts.kind == "llamacpp":
            findings = faults.blamed(findings, await origin(subject, source))
        verdict: Verdict = "fails" if any(f.weight != "note" for f in findings) else "works"
        return Result(
            probe=self.name,
            verdict=verdict,
            said=_said(findings),
            findings=findings,
            measured={
                "shows_tools": prompts.shows_tools,
                "shows_reasoning": prompts.shows_reasoning,
                "strategy": subject.facts.strategy,
                "characters": len(source) or None,
            },
        )

    def _refused(self, subject: Subject, why: str) -> Result:
        if "status 4" not in why and "status 5" not in why:
            return Result(probe=self.name, verdict="unclear", said=f"it was not rendered: {why}")
        findings = (faults.refused(subject.facts, why),) if "404" not in why else ()
        said = f"the template refuses two plain turns: {why}"
        verdict: Verdict = "fails" if findings else "unclear"
        return Result(probe=self.name, verdict=verdict, said=said, findings=findings)


async def _renders(render: Render) -> bool:
    """Whether a plain question is rendered: what is refused then is the conversation's."""
    try:
        return bool(await render([{"role": "user", "content": "Hello."}], {}))
    except NoAnswer:
        return False


def _said(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return "tools, calls, results and reasoning are printed, and earlier turns as they were"
    return "; ".join(finding.title.rstrip(".") for finding in findings)
