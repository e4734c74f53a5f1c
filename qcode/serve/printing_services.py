"""A plan as a file for what starts and watches programs: systemd, launchd, llama-swap, compose."""

import json
import plistlib
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from msgspec.structs import replace

from qcode.protocol.text import one_line
from qcode.serve.base import Plan
from qcode.serve.command import Address, flag_words, program, short_name, words
from qcode.serve.printing_others import comment

_IMAGE = "ghcr.io/ggml-org/llama.cpp"
"""llama.cpp, docs/docker.md."""
_BOX = "/models"
_IDLE_SECONDS = 1800
_OUTSIDE = frozenset({"--slot-save-path", "--threads"})
"""What is true of this machine and not of the box: a folder, the number of its cores."""


def systemd(plan: Plan, address: Address) -> str:
    """A user's unit. systemd.service(5), COMMAND LINES."""
    command = words(plan, address)
    if not command[0].startswith("/"):
        command = ("/usr/bin/env", *command)
    name = short_name(plan)
    return (
        comment(f"Put it into ~/.config/systemd/user/{name}.service, then:")
        + comment(f"systemctl --user daemon-reload && systemctl --user enable --now {name}")
        + "[Unit]\n"
        + f"Description=llama-server with {_one_line(plan).replace('%', '%%')}\n"
        + "\n[Service]\n"
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
    return plistlib.dumps(made, sort_keys=False).decode()


def llama_swap(plan: Plan, _: Address) -> str:
    """A file for llama-swap, which chooses the port. Its config.example.yaml, after v250."""
    command = shlex.join(
        (program(plan), "--model", str(plan.model.path.absolute()), *flag_words(plan.flags))
    )
    sees = ["text", "image"] if any(flag.name == "--mmproj" for flag in plan.flags) else ["text"]
    can = {"in": sees, "tools": True, "context": plan.context_tokens}
    return "".join(
        (
            "healthCheckTimeout: 500\n",
            comment("its words about loading would come as the model's thinking"),
            "sendLoadingState: false\n",
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
    kept = tuple(flag for flag in plan.flags if flag.name not in _OUTSIDE)
    listed = words(replace(plan, flags=kept), inside)[1:]
    command = [_in_box(word, str(folder)) for word in listed]
    rows = [
        "services:",
        "  llama:",
        f"    image: {_scalar(f'{_IMAGE}:{_tag(plan)}')}",
        f"    command: {_scalar([word.replace('$', '$$') for word in command])}",
        f"    ports: {_scalar([f'{address.host}:{address.port}:8080'])}",
        "    volumes:",
        f"      - {_scalar(_mount(str(folder)))}",
        "    restart: unless-stopped",
        *_devices(plan),
    ]
    return "\n".join(rows) + "\n"


def _mount(folder: str) -> dict[str, Any]:
    source = folder.replace("$", "$$")
    return {"type": "bind", "source": source, "target": _BOX, "read_only": True}


def _in_box(word: str, folder: str) -> str:
    """A path below the model's folder, as it is called inside."""
    path = PurePosixPath(word)
    return str(_BOX / path.relative_to(folder)) if path.is_relative_to(folder) else word


def _tag(plan: Plan) -> str:
    for use in ("cuda", "rocm", "vulkan"):
        if use in plan.engine.uses:
            return f"server-{use}"
    return "server"


def _devices(plan: Plan) -> Iterator[str]:
    tag = _tag(plan)
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
