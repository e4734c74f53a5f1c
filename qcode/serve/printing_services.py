"""A plan as a file for what starts and watches programs: systemd, launchd, llama-swap, compose."""

import json
import plistlib
import re
import shlex
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath
from typing import Any

from msgspec.structs import replace

from qcode.protocol.text import one_line
from qcode.serve.base import Flag, Plan
from qcode.serve.command import Address, flag_words, model_words, program, short_name, words
from qcode.serve.printing_words import comment, reasons, slot_folders

_IMAGE = "ghcr.io/ggml-org/llama.cpp"
"""llama.cpp, docs/docker.md."""
_BOX = "/models"
_IDLE_SECONDS = 1800
_SLOTS = "/slots/"
_BUILD = 11549
"""The one that the flags were compared with, where none is installed that tells its number."""


def systemd(plan: Plan, address: Address) -> str:
    """A user's unit. systemd.service(5), COMMAND LINES."""
    command = words(plan, address)
    if not command[0].startswith("/"):
        command = ("/usr/bin/env", *command)
    name = short_name(plan)
    return (
        comment(f"Put it into ~/.config/systemd/user/{name}.service, then:")
        + comment(f"systemctl --user daemon-reload && systemctl --user enable --now {name}")
        + "".join(reasons(plan))
        + "[Unit]\n"
        + f"Description=llama-server with {_one_line(plan).replace('%', '%%')}\n"
        + "\n[Service]\n"
        + "".join(f"ExecStartPre=/bin/mkdir -p {_unit_word(it)}\n" for it in slot_folders(plan))
        + f"ExecStart={' '.join(map(_unit_word, command))}\n"
        + "Restart=on-failure\nRestartSec=5\n"
        + "\n[Install]\nWantedBy=default.target\n"
    )


def _unit_word(word: str) -> str:
    """Quoted as C does it; what systemd would expand is doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if _needs_quotes(word) else escaped


def _needs_quotes(word: str) -> bool:
    return not word or any(sign.isspace() or sign in "\"'\\;#" for sign in word)


def launchd(plan: Plan, address: Address) -> str:
    """A user's agent. launchd.plist(5)."""
    command = list(words(plan, address))
    if not command[0].startswith("/"):
        command.insert(0, "/usr/bin/env")
    made = {
        "Label": f"local.{short_name(plan)}",
        "ProgramArguments": command,
        # launchd starts programs with a short PATH; Homebrew's folders are not in it
        "EnvironmentVariables": {"PATH": "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin"},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
    }
    head, line, rest = plistlib.dumps(made, sort_keys=False).decode().partition("<plist ")
    return f"{head}{''.join(_in_plist(plan))}{line}{rest}"


def _in_plist(plan: Plan) -> Iterator[str]:
    """A comment: where to put the file, and the reasons. Two dashes would end it, so flags are
    written with one."""
    file = f"~/Library/LaunchAgents/local.{short_name(plan)}.plist"
    rows = [
        f"Put it into {file}, then:",
        *(f"mkdir -p {shlex.quote(it)}" for it in slot_folders(plan)),
        f"launchctl bootstrap gui/$(id -u) {file}",
        f"launchctl bootout gui/$(id -u)/local.{short_name(plan)} ends it.",
    ]
    told = "".join((*(f"{row}\n" for row in rows), *reasons(plan)))
    yield f"<!--\n{re.sub('-{2,}', '-', told.replace('# ', ''))}-->\n"


def llama_swap(plan: Plan, _: Address) -> str:
    """A file for llama-swap, which chooses the port. Its config.example.yaml, after v250."""
    command = shlex.join((program(plan), *model_words(plan), *flag_words(plan.flags)))
    sees = ["text", "image"] if any(flag.name == "--mmproj" for flag in plan.flags) else ["text"]
    can = {"in": sees, "tools": True, "context": plan.context_tokens}
    return "".join(
        (
            "healthCheckTimeout: 500\n",
            comment("its words about loading would come as the model's thinking"),
            "sendLoadingState: false\n",
            *reasons(plan),
            *(comment(f"it must be there: mkdir -p {it}") for it in slot_folders(plan)),
            "models:\n",
            f"  {_scalar(short_name(plan))}:\n",
            f"    cmd: {_scalar(command + ' --port ${PORT}')}\n",
            f"    ttl: {_IDLE_SECONDS}\n",
            f"    capabilities: {_scalar(can)}\n",
        )
    )


def compose(plan: Plan, address: Address) -> str:
    """A file for Docker or Podman: the folder of the model is seen, and not to be written."""
    folder = plan.model.path.absolute().parent
    inside = replace(address, host="0.0.0.0", port=8080, key_file="")
    flags = tuple(map(_in_its_folder, plan.flags))
    listed = words(replace(plan, flags=flags), inside)[1:]
    command = [_in_box(word, str(folder)) for word in listed]
    volumes = [_model_volume(plan, folder)]
    if slot_folders(plan):
        volumes.append({"type": "volume", "source": "slots", "target": _SLOTS})
    named = [it["source"] for it in volumes if it["type"] == "volume"]
    rows = [
        *"".join(reasons(plan)).splitlines(),
        "services:",
        "  llama:",
        f"    image: {_scalar(f'{_IMAGE}:{_tag(plan)}')}",
        f"    command: {_scalar([word.replace('$', '$$') for word in command])}",
        f"    ports: {_scalar([f'{address.host}:{address.port}:8080'])}",
        *([f"    environment: {_scalar({'LLAMA_CACHE': _BOX})}"] if plan.model.hub else []),
        "    volumes:",
        *(f"      - {_scalar(it)}" for it in volumes),
        "    restart: unless-stopped",
        *_devices(plan),
        *([f"volumes: {_scalar({name: {} for name in named})}"] if named else []),
    ]
    return "\n".join(rows) + "\n"


def _in_its_folder(flag: Flag) -> Flag:
    return replace(flag, value=_SLOTS) if flag.name == "--slot-save-path" else flag


def _model_volume(plan: Plan, folder: PurePath) -> dict[str, Any]:
    """The folder of the model; for one that is fetched by the server itself, a place to keep it."""
    if plan.model.hub:
        return {"type": "volume", "source": "models", "target": _BOX}
    source = str(folder).replace("$", "$$")
    return {"type": "bind", "source": source, "target": _BOX, "read_only": True}


def _in_box(word: str, folder: str) -> str:
    """A path below the model's folder, as it is called inside."""
    path = PurePosixPath(word)
    return str(_BOX / path.relative_to(folder)) if path.is_relative_to(folder) else word


def _kind(plan: Plan) -> str:
    for use in ("cuda", "rocm", "vulkan"):
        if use in plan.engine.uses:
            return f"server-{use}"
    return "server"


def _tag(plan: Plan) -> str:
    """With the build: flags change their meaning from one to another."""
    return f"{_kind(plan)}-b{plan.engine.build or _BUILD}"


def _devices(plan: Plan) -> Iterator[str]:
    tag = _kind(plan)
    if tag == "server-cuda":
        yield "    deploy:"
        yield "      resources:"
        yield "        reservations:"
        yield '          devices: [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]'
    elif tag == "server-rocm":
        yield '    devices: ["/dev/kfd", "/dev/dri"]'
    elif tag == "server-vulkan":
        yield '    devices: ["/dev/dri"]'


def _scalar(value: Any) -> str:
    """JSON, which YAML reads as it stands."""
    return json.dumps(value, ensure_ascii=False)


def _one_line(plan: Plan) -> str:
    return one_line(plan.model.name, 80)
