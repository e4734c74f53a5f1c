"""The control protocol: what a host asks of a run, and what a run asks of its host.

Wire forms as the client `claude-agent-sdk` 0.2.187 writes and reads them.
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from qcode.headless import names
from qcode.headless.filling import usage
from qcode.headless.frames import Frame, Frames
from qcode.headless.greeting import GREETING, NOT_HERE, UNHEEDED
from qcode.headless.offers import DECLINED, Pending, chosen, keeps, suggestion
from qcode.headless.opening import APPROVAL_SECONDS, NO_SERVERS
from qcode.permission.modes import PRESETS, Preset
from qcode.protocol.events import ApprovalRequested, Notice, QuestionAsked
from qcode.protocol.inputs import (
    ApprovalReply,
    Cancel,
    Input,
    QuestionReply,
    Rewind,
    SetMode,
    SetModel,
    SetThinking,
)
from qcode.session.conversation import Conversation

GONE = "the host is gone"


class Refused(Exception):
    """A request cannot be fulfilled. `str(error)` is the sentence for the host."""


class Seen(msgspec.Struct, frozen=True):
    """What the host can ask about."""

    context_tokens: int = 0
    turns: tuple[tuple[str, int], ...] = ()
    """Id of the host's user message -> the turn that it began."""


class Control(msgspec.Struct):
    """Requests both ways. `submit` is the engine's door, `write` the way to the host."""

    frames: Frames
    submit: Callable[[Input], None]
    write: Callable[[Frame], None]
    prompts: Literal["stdio", "nobody"] = "nobody"
    """`stdio` = the host is asked about approvals."""
    wait_seconds: float = APPROVAL_SECONDS
    talk: Conversation = msgspec.field(default_factory=Conversation)
    """As the engine keeps it."""
    rewinding: str = ""
    """The request of the host by which files are being put back; empty = none."""
    _last_calls: set[str] = msgspec.field(default_factory=set)
    """Denied with the word that the turn ends there."""
    _is_closed: bool = False
    """The host says no more."""
    _open: dict[str, Pending] = msgspec.field(default_factory=dict)
    _numbers: "itertools.count[int]" = msgspec.field(default_factory=lambda: itertools.count(1))

    def take_request(self, line: Frame, seen: Seen) -> None:
        """A `control_request`: done, and answered."""
        request_id = str(line.get("request_id", ""))
        request = line.get("request")
        try:
            if not isinstance(request, dict):
                raise Refused("A control_request has no `request` object.")
            if request.get("subtype") == "rewind_files":  # answered when it is done
                if request.get("dry_run"):
                    raise Refused("qcode puts files back or not: rewind_files without `dry_run`.")
                self._rewind(request_id, str(request.get("user_message_id", "")), seen)
                return
            self._answer(request_id, "success", {"response": self._done(request, seen)})
        except Refused as refusal:
            self._answer(request_id, "error", {"error": str(refusal)})

    def take_response(self, line: Frame) -> None:
        """A `control_response`: what the host decided."""
        response = line.get("response")
        if not isinstance(response, dict):
            return
        pending = self._open.pop(str(response.get("request_id", "")), None)
        if pending is not None:
            pending.timer.cancel()
            self._decide(pending, response)

    def ask(self, event: ApprovalRequested | QuestionAsked) -> None:
        """Ask the host about a call, or the model's question."""
        if self.prompts != "stdio":
            return
        if because := self._unasked():
            self._deny(event, because)
            return
        request_id = f"req_{next(self._numbers)}"
        name, given = self._asked(event)
        request: Frame = {"subtype": "can_use_tool", "tool_name": name, "input": given}
        if isinstance(event, ApprovalRequested):
            request |= self._about(event)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.wait_seconds, self._give_up, request_id)
        self._open[request_id] = Pending(event, given, timer)
        self.write({"type": "control_request", "request_id": request_id, "request": request})

    def settled(self, request_id: str) -> None:
        """A question of the engine was settled otherwise: the host need not answer."""
        for key, pending in list(self._open.items()):
            if pending.event.request_id == request_id:
                self._open.pop(key).timer.cancel()
                self.write({"type": "control_cancel_request", "request_id": key})

    def finished(self, call_id: str) -> None:
        """A call is over; the turn, too, if the host said so when it denied the call."""
        if call_id in self._last_calls:
            self.submit(Cancel())

    def turn_over(self) -> None:
        """Its question waits no more; approvals are settled by the engine."""
        self._last_calls.clear()
        for key, pending in list(self._open.items()):
            if isinstance(pending.event, QuestionAsked):
                self._open.pop(key).timer.cancel()
                self.write({"type": "control_cancel_request", "request_id": key})

    def close(self) -> None:
        """The host is gone: what waits for it is denied, and what it would be asked from now on."""
        self._is_closed = True
        for key in list(self._open):
            self._give_up(key, GONE)

    def _unasked(self) -> str:
        """Why the host is not asked; empty = it is."""
        if self._is_closed:
            return GONE
        return "dontAsk denies every question" if self.frames.asks == "deny" else ""

    # ------------------------------------------------------------------ host -> run

    def _done(self, request: Frame, seen: Seen) -> Frame:
        match request.get("subtype"):
            case "initialize":
                return self._initialized(request)
            case "interrupt":
                self.submit(Cancel())
            case "set_permission_mode":
                return self._mode(str(request.get("mode", "")))
            case "set_model":
                self._model(request.get("model"))
            case "set_max_thinking_tokens":
                self._thinking(request.get("max_thinking_tokens"))
            case "get_context_usage":
                return usage(self.talk, seen.context_tokens, self.frames.model)
            case "mcp_status":
                return {"mcpServers": list(map(_failed, self.frames.opening.servers))}
            case other:
                raise Refused(f"qcode does not know the control request {other!r}.")
        return {}

    def _initialized(self, request: Frame) -> Frame:
        for key, what in NOT_HERE.items():
            if request.get(key):
                raise Refused(f"qcode {what}")
        for key in UNHEEDED:
            if request.get(key):
                self.write(self.frames.warning(f"`{key}` of initialize has no meaning here."))
        return dict(GREETING)

    def _mode(self, word: str) -> Frame:
        preset = PRESETS.get(word)
        if preset is None:
            raise Refused(f"{word!r} is not a permission mode. There are {', '.join(PRESETS)}.")
        if preset.sandbox == "off" and self.frames.opening.sandbox == "on":
            raise Refused(f"{word} is given when a run starts: --permission-mode {word}.")
        self._set(preset)
        return {"mode": word}

    def _set(self, preset: Preset) -> None:
        self.frames.asks = preset.asks
        self.submit(SetMode(preset.mode))

    def _model(self, model: Any) -> None:
        if model is None:  # back to the one that the run began with
            model = self.frames.opening.model or self.frames.first_model
            if not model:  # nobody has answered yet, so it is that one anyway
                return
        if not isinstance(model, str) or not model:
            raise Refused("set_model needs a `model`, the name of one.")
        self.submit(SetModel(model))

    def _thinking(self, tokens: Any) -> None:
        if tokens is not None and (type(tokens) is not int or tokens < 0):  # bool is an int, too
            raise Refused("set_max_thinking_tokens needs a number of tokens.")
        if tokens is not None:
            self.submit(SetThinking(tokens))

    def _rewind(self, request_id: str, message_id: str, seen: Seen) -> None:
        if self.rewinding:
            raise Refused("Files are being put back already.")
        turn = dict(seen.turns).get(message_id)
        if turn is None:
            raise Refused(f"No turn of this run began with the message {message_id!r}.")
        self.rewinding = request_id
        self.submit(Rewind(turn, "files"))

    def noticed(self, notice: Notice) -> None:
        """The engine tells how putting files back went by a notice, whatever came of it."""
        request_id, self.rewinding = self.rewinding, ""
        if request_id and notice.level == "info":
            self._answer(request_id, "success", {"response": {"canRewind": True}})
        elif request_id:
            self._answer(request_id, "error", {"error": notice.text})

    def _answer(self, request_id: str, subtype: str, told: Frame) -> None:
        response = {"subtype": subtype, "request_id": request_id, **told}
        self.write({"type": "control_response", "response": response})

    # ------------------------------------------------------------------ run -> host

    def _asked(self, event: ApprovalRequested | QuestionAsked) -> tuple[str, Frame]:
        folder = self.frames.opening.folder
        if isinstance(event, ApprovalRequested):
            found = self.frames.called(event.call)
            return found["name"], found["input"]
        given = {"question": event.question, "choices": "\n".join(event.choices)}
        return names.outward("ask", given, folder)

    def _about(self, event: ApprovalRequested) -> Frame:
        suggestions = [suggestion(event.rules)] if event.rules else []
        return {
            "tool_use_id": event.call.id,
            "permission_suggestions": suggestions,
            "decision_reason": event.because,
        }

    def _give_up(self, key: str, because: str = "") -> None:
        pending = self._open.pop(key, None)
        if pending is None:
            return
        pending.timer.cancel()
        said = because or f"nobody replied for {self.wait_seconds:g} s"
        if not because:
            self.write({"type": "control_cancel_request", "request_id": key})
        self._deny(pending.event, said)

    def _decide(self, pending: Pending, response: Frame) -> None:
        found = response.get("response")
        if response.get("subtype") != "success" or not isinstance(found, dict):
            why = str(response.get("error") or "the host could not decide")
            self._deny(pending.event, why)
        elif found.get("behavior") == "allow":
            self._allow(pending, found)
        else:
            self._deny(pending.event, str(found.get("message") or ""))
            if found.get("interrupt"):
                self._end_with(pending.event)

    def _end_with(self, event: ApprovalRequested | QuestionAsked) -> None:
        """At once, the denial itself and its words would be lost."""
        if isinstance(event, ApprovalRequested):
            self._last_calls.add(event.call.id)
        else:
            self.submit(Cancel())

    def _deny(self, event: ApprovalRequested | QuestionAsked, words: str) -> None:
        if isinstance(event, QuestionAsked):
            self.submit(QuestionReply(event.request_id, words or DECLINED))
        else:
            self.submit(ApprovalReply(event.request_id, "deny", words))

    def _allow(self, pending: Pending, found: Frame) -> None:
        event, updated = pending.event, found.get("updatedInput")
        if isinstance(event, QuestionAsked):
            self.submit(QuestionReply(event.request_id, chosen(updated, event.question)))
            return
        changed = ""
        if isinstance(updated, dict) and updated != pending.given:
            name = self.frames.called(event.call)["name"]
            _, ours = names.inward(name, updated, self.frames.opening.folder)
            changed = msgspec.json.encode(ours).decode()
        scope: Literal["once", "session"] = "session" if keeps(found, event.rules) else "once"
        reply = ApprovalReply(event.request_id, "allow", changed_arguments=changed, scope=scope)
        self.submit(reply)


def _failed(server: str) -> Frame:
    return {"name": server, "status": "failed", "error": NO_SERVERS}
