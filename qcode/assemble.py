"""Config -> Engine: the one file that knows every part. It makes them and decides nothing else."""

import asyncio
import os
from functools import partial

from msgspec.structs import replace

from qcode import __version__, fencing
from qcode.answering import Answering, Own, overrides, remarks, settings_of
from qcode.config.model import Config
from qcode.config.profiles import base_urls
from qcode.engine.accounting import Accounting
from qcode.engine.approval import Approvals, Grants
from qcode.engine.calls import Calls
from qcode.engine.choices import Load
from qcode.engine.compaction import Compactor
from qcode.engine.connecting import Connections
from qcode.engine.controls import Controls
from qcode.engine.doors import Begun, Doors
from qcode.engine.engine import Engine
from qcode.engine.gate import OFFLINE, NetworkGate
from qcode.engine.gauge import Gauge
from qcode.engine.hidden import closed, hidden
from qcode.engine.history import History
from qcode.engine.keeping import Keeping
from qcode.engine.look import look
from qcode.engine.nested import Nested
from qcode.engine.own import OwnCommands
from qcode.engine.parts import Haste, Parts
from qcode.engine.ports import Ports
from qcode.engine.prompt import opening
from qcode.engine.questions import Questions
from qcode.engine.reach import Looking
from qcode.engine.refusals import Refusals
from qcode.engine.room import Room
from qcode.engine.rulebook import Rulebook
from qcode.engine.say import Say
from qcode.engine.scale import Scale
from qcode.engine.standing import Standing
from qcode.engine.start import Start, head
from qcode.engine.stream import Stream
from qcode.engine.summariser import Summariser
from qcode.engine.turn import Turn
from qcode.engine.verify import Verify
from qcode.engine.warming import Warming, Warms, keeps
from qcode.fencing import Footing
from qcode.permission.modes import parse_mode
from qcode.permission.patterns import Ground
from qcode.protocol.access import Access
from qcode.protocol.events import Notice, SessionStarted, SettingsChanged
from qcode.protocol.messages import UserMessage
from qcode.sandbox.passing import pass_away
from qcode.sandbox.secrets import kept
from qcode.server.base import ServerFacts
from qcode.server.images import check_sight
from qcode.session.naming import checkpoints
from qcode.tools.base import Context
from qcode.workspace.checkpoint import Keeper
from qcode.workspace.files import Workspace
from qcode.workspace.secrets import Secrets
from qcode.workspace.shadow import Shadow

__all__ = ["Start", "assemble"]


def assemble(config: Config, start: Start, footing: Footing | None = None) -> Engine:
    """An engine that is ready for inputs; nothing is asked of a server before the first. It owns
    `footing`; None = it is found here.

    Raises SandboxMissing, ConfigError and InputError.
    """
    footing = footing or fencing.footing(config, start)
    try:
        return _Assembly(config, start, footing).engine()
    except BaseException:  # nobody will close an engine that was not made
        pass_away(footing.spill)
        raise


class _Assembly:
    """The parts of one engine in the making."""

    def __init__(self, config: Config, start: Start, footing: Footing) -> None:
        self.config = config
        self.start = start
        self.spill, self.tools = footing.spill, footing.tools
        stands = footing.around
        self.runner, self.fence = stands.runner, stands.fence
        self.unfenced = fencing.remark(stands, start.person)
        self.stream = Stream(start.log, start.conversation)
        self.say: Say = self.stream.say
        self.settings = settings_of(config, footing.mode)
        self.settings.overrides = overrides(config, start.sampling)
        self.questions = Questions(self.say)
        self.workspace = Workspace(
            start.folder,
            (*start.add_dirs, self.spill),
            (*config.agent.exclude, *hidden(start.rules, start.folder.resolve().as_posix())),
            closed(start.rules),
            Secrets.of(kept((start.folder, *start.add_dirs), start.own, os.environ), start.own),
        )
        ground = Ground.of(self.workspace.root)
        outside = config.sandbox.outside
        book = self.book = Rulebook(self.settings, self.fence, start.rules, ground, outside)
        book.reached = Looking(self.workspace).reached
        grants = Grants(book.offers, book.grant, start.keep, str(self.workspace.root))
        known = Refusals.remembered(start.conversation.decided)
        self.approvals = Approvals(book.judge, self.say, self._nobody(), grants, known)
        offline = OFFLINE if config.agent.offline == "on" else ""
        self.connections = Connections(self.say, base_urls(config))
        is_endpoint, running = self.connections.is_endpoint, self.runner.running
        self.gate = NetworkGate(self.approvals, self.say, offline, is_endpoint, running)
        self.runner.gate = self.gate
        self.ports = Ports(self.runner, self.say, self.connections.is_served)
        self.history: History | None = None
        """None = the session has not begun."""
        self.warming: Warming | None = None
        self.steers: list[UserMessage] = []
        self.haste = Haste()
        self.ask = self.questions.ask if start.person == "present" else None
        own = Own(start.api_key, start.said, start.tries)
        self.routes = Answering(config, own, self.settings).routes(self.say)
        self.routes.arrived, self.routes.revive = self.connections.arrived, start.revive
        session = start.log.session_id if start.log else ""
        self.keeping = Keeping(
            Keeper(self.workspace.root, Shadow(start.kept), session, fencing.STAND_IN_NS)
            if start.kept
            else None,
            self.workspace,
            start.conversation,
            self.say,
            jobs=lambda: bool(self.runner.list()),
            names=partial(checkpoints, start.log.path.parent) if start.log else None,
        )
        self.nested, self.found = Nested(self.workspace.root), ""
        self.book.tripped = self._tripped
        self.standing = Standing(self.keeping, self.gate, self.settings, self.say, self._tripped)

    def engine(self) -> Engine:
        """The whole."""
        controls = Controls(
            self.settings,
            self.approvals,
            self.questions,
            self.steers,
            self.say,
            self.haste,
            self.routes.wish,
            self._asks,
            self.ports,
            lambda: self.history.held() if self.history else "",
        )
        doors = Doors(self._begin, self._end, self.start.limits, self.keeping.take)
        commands = OwnCommands(self.runner, self.workspace.root, self.say)
        names = tuple(tool.name for tool in self.tools)
        return Engine(self.stream, doors, controls, commands, names)

    def _asks(self) -> SettingsChanged:
        if self.history is None:
            return SettingsChanged(self.settings.thinking_budget, self.settings.max_tokens)
        return self.history.asks()

    def _tripped(self) -> str:
        """What a command did; it stays so, though another one took it back."""
        look = self.nested.look if self.runner.fenced else str
        self.found = self.found or self.runner.tripped or look()
        return self.found

    def _nobody(self) -> str:
        """Why nobody can be asked; empty = somebody can."""
        word = self.config.permission.mode
        if word and parse_mode(word).asks == "deny":
            return "dontAsk denies every question"
        return "" if self.start.person == "present" else "nobody can be asked in this run"

    async def _begin(self, say: Say) -> Begun:
        """Find the server and read the workspace, at once."""
        facts, (seen, unread) = await asyncio.gather(self.routes.open(), look(self.workspace))
        say(self._started(facts))
        self.connections.arrived(facts.base_url)
        warnings = (*self.start.remarks, *([self.unfenced] if self.unfenced else ()), *unread)
        for notice in (*remarks(facts), *(Notice("warning", one) for one in warnings)):
            say(notice)
        talk = self.start.conversation
        history = self.history = History(talk, facts, self.settings)
        gauge = Gauge(history)
        accounting = Accounting(facts.strategy, gauge)
        for sentence in filter(None, (history.unsaid(), history.held())):
            say(Notice("info", sentence))
        say(history.asks())
        room = Room(talk, self.settings, facts.context_tokens, gauge.expect)
        summariser = Summariser(history, self.routes.server, room, accounting, say)
        scale = Scale(room, gauge, self.routes.server)
        wanted = self.config.agent.compaction
        parts = Parts(
            server=self.routes.server,
            history=history,
            calls=self._calls(),
            say=say,
            limits=self.start.limits,
            accounting=accounting,
            compactor=Compactor(room, summariser, say, scale, wanted),
            verify=self._verify(),
            steers=self.steers,
            haste=self.haste,
            ask=self.ask,
            elsewhere=self.routes,
            wanted=self.start.wanted,
            rest=self.keeping.rest,
        )
        self.routes.carry(Load(history, accounting, room))
        opened = partial(opening, replace(seen, fence=self.fence))
        self.warming = Warming(self.routes.server, history, opened, self._warms(), say)
        accounting.ahead = self.warming.taken
        return Begun(
            partial(self._turn, parts),
            opened,
            partial(self._ready, history),
            parts.compactor.by_hand,
            self.routes.ready,
            self.warming,
        )

    def _warms(self) -> Warms:
        kept = keeps(self.start.slots, self.start.log)
        sleeps = self.config.serve.sleep_minutes * 60 if self.start.revive else 0.0
        return Warms(self.config.agent.warm, self.start.person, kept, sleeps)

    def _turn(self, parts: Parts, number: int, began: float) -> Turn:
        self.gate.begin()
        return Turn(number, parts, began)

    async def _ready(self, history: History, message: UserMessage) -> None:
        await self.routes.ready()
        check_sight(history.facts, (*history.conversation.messages, message))

    def _started(self, facts: ServerFacts) -> SessionStarted:
        talk, log = self.start.conversation, self.start.log
        appended = self.config.agent.append_system_prompt
        system, specs = head(self.start, appended, self.tools, self.say)
        return SessionStarted(
            session_id=log.session_id if log else "",
            version=__version__,
            folder=str(self.start.folder),
            model=facts.model,
            server=f"{facts.kind} {facts.version}".strip(),
            system=system,
            tools=specs,
            mode=self.settings.mode,
            parent=talk.parent,
            context_tokens=facts.context_tokens,
            fence=self.fence,
        )

    def _calls(self) -> Calls:
        context = Context(
            self.workspace,
            self.runner,
            self.runner,
            self.spill,
            self.ask,
            connected=self.connections.fetch,
            endpoints=self.connections.endpoints,
        )
        calls = Calls(self.tools, context, self.approvals, self.say)
        calls.single.before_effect = self.stream.flush
        calls.single.around = self.standing.around
        calls.single.where = self.book.where
        if self.settings.loops == "off":
            calls.watch = None
        return calls

    def _verify(self) -> Verify | None:
        agent = self.config.agent
        if not agent.verify:
            return None
        when = self.start.verify
        made = Verify(agent.verify, agent.verify_tries, self.runner, self.start.folder, when)
        made.around = self.standing.command
        if self.book.where((Access("shell", agent.verify),)) == "outside":
            made.where = "outside"
        return made

    async def _end(self) -> None:
        try:
            if self.warming:
                await self.warming.close()
            await self.ports.close()
            await self.gate.close()
            await self.runner.close()
            await self.keeping.close()
        finally:
            pass_away(self.spill)
            await self.routes.server.close()
