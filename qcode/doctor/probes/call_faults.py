"""What is wrong with tool calls, told with what to change."""

from qcode.doctor.base import Finding
from qcode.doctor.probes import changes
from qcode.doctor.probes.asking import excerpt
from qcode.protocol.messages import ToolCall
from qcode.server.base import ServerFacts
from qcode.server.quirks import OLLAMA, QUIRKS


def leaked(facts: ServerFacts, text: str) -> Finding:
    """A call that stands in the text."""
    server = QUIRKS[facts.kind].name
    return Finding(
        id="calls.parser",
        weight="broken",
        title=f"Tool calls come as text: {server} does not read them as calls.",
        cost="qcode must tell calls from prose by their looks: now and then one is lost, or taken "
        "for one, and long files come slowly.",
        change=changes.calls_parser(facts),
        evidence={"text": excerpt(text)},
    )


def refused(facts: ServerFacts, error: str) -> Finding:
    """An error for any request with tools: the server's flags, or a model without them."""
    change = changes.calls_parser(facts)
    if facts.kind in OLLAMA:
        change = "Pull a model for which `ollama show NAME` lists `tools`, such as qwen3.6."
    elif "not made for tool calls" in error:
        change = "Serve a model that was made for tool calls, such as Qwen3.6."
    return Finding(
        id="calls.refused",
        weight="broken",
        title="Each request with tools is refused.",
        cost="qcode can read no file and run no command: nothing works but talk.",
        change=change,
        evidence={"answer": excerpt(error)},
    )


def broken(facts: ServerFacts, call: ToolCall) -> Finding:
    """Arguments that no parser reads."""
    return Finding(
        id="calls.arguments",
        weight="broken",
        title="The arguments of a tool call are no JSON object.",
        cost="Calls fail, or are mended by guesses; servers refuse the conversation behind them.",
        change=changes.calls_template(facts),
        evidence={"arguments": excerpt(call.arguments)},
    )


def joined(facts: ServerFacts, call: ToolCall) -> Finding:
    """Two calls in one."""
    return Finding(
        id="calls.parallel",
        weight="broken",
        title="Two tool calls of one answer came as one, with the arguments of both.",
        cost="Each answer with several calls fails, and is asked for again.",
        change=changes.calls_parser(facts),
        evidence={"arguments": excerpt(call.arguments)},
    )


def one_only(facts: ServerFacts) -> Finding:
    """An old default of llama.cpp."""
    return Finding(
        id="calls.single",
        weight="slow",
        title="This build lets a model make one tool call an answer, unless it is told otherwise.",
        cost="Work that takes one answer takes several.",
        change="Update llama.cpp to b8929 or newer, where several are the default.",
        evidence={"build": facts.version},
        source="llama.cpp, common/chat.cpp: `parallel_tool_calls`",
    )


def in_thinking(facts: ServerFacts, text: str) -> Finding:
    """A call that its server left in the reasoning, or in the text behind it."""
    return Finding(
        id="calls.thinking",
        weight="broken",
        title="A tool call behind thinking stays text, and no call comes.",
        cost="Turns end with nothing done; qcode finds most of these calls by their looks.",
        change=changes.calls_in_thinking(facts),
        evidence={"text": excerpt(text)},
        source="vLLM 39056, LM Studio 1592, llama.cpp 21118, Ollama 14745",
    )
