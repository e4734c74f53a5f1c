"""Tries to break out. Runs inside a fence as `python -I -S -c`, with the scene as JSON in argv.

Prints a JSON object: promise -> empty where it held, else what succeeded. Each attempt is harmless:
what it would reach was put there for it (`scene`).
"""

# pathlib would cost more than all the attempts:
# ruff: noqa: PTH101, PTH102, PTH104, PTH115, PTH123, PTH208, PTH211

import ctypes
import json
import os
import socket
import sys

Scene = dict[str, str]
UNSHARE_USER = 0x10000000
LINUX = "linux"
ELSEWHERE = "it was not tried: this is not Linux"


def main(scene: Scene) -> dict[str, str]:
    """Every attempt, by the name of the promise that it would break."""
    tries = {name[5:]: it for name, it in globals().items() if name[:5] == "_try_"}
    return {name.replace("_", "-"): _outcome(it, scene) for name, it in tries.items()}


def _outcome(attempt: object, scene: Scene) -> str:
    try:
        return str(attempt(scene) or "")  # type: ignore[operator]  # one of the functions below
    except OSError:
        return ""


def _try_workspace_is_writable(scene: Scene) -> str:
    path = f"{scene['workspace']}/new"
    if not _written(path):
        return f"it is not: {path}"
    return ""


def _try_loopback_inside_works(scene: Scene) -> str:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), 2).close()
    except OSError as error:
        return f"it does not: {error}"
    return ""


def _try_writes_outside(scene: Scene) -> str:
    return _written(f"{scene['outside']}/file", f"{scene['outside']}/new", f"{scene['home']}/new")


def _try_attributes_outside(scene: Scene) -> str:
    file = f"{scene['outside']}/file"
    try:
        os.utime(file, (1, 1))
    except OSError:
        os.chmod(file, 0o777)
    return f"rights or times of {file} were changed"


def _try_links_out(scene: Scene) -> str:
    link = f"{scene['workspace']}/link"
    os.symlink(scene["outside"], link)
    return _written(f"{link}/file", f"{link}/new")


def _try_secrets(scene: Scene) -> str:
    return _read(scene["secret"])


def _try_own_state(scene: Scene) -> str:
    return _read(scene["state"])


def _try_protected_names(scene: Scene) -> str:
    git = f"{scene['workspace']}/.git"
    return (
        _written(f"{git}/config", f"{git}/hooks/pre-commit")
        or _moved(git, f"{git}-away")
        or _moved(f"{git}/config", f"{git}/away")
        or _moved(f"{git}/hooks", f"{git}/away")
    )


def _try_missing_names(scene: Scene) -> str:
    below = scene["workspace"]
    for name in (".mcp.json", ".vscode", ".claude", ".github", ".git/commondir", ".envrc"):
        for attempt in (_replaced, _under):
            if said := attempt(f"{below}/{name}"):
                return said
        _force(f"{below}/{name}")
    return ""


def _try_network_outside(scene: Scene) -> str:
    socket.create_connection(("127.0.0.1", int(scene["port"])), 2).close()
    return "a server outside of the fence was reached"


def _try_sockets(scene: Scene) -> str:
    addresses = (scene["socket"], *(["\0" + scene["abstract"]] if scene["system"] == LINUX else []))
    for address in addresses:
        with socket.socket(socket.AF_UNIX) as wire:
            try:
                wire.connect(address)
            except OSError:
                continue
            return f"connected to {address!r}"
    return ""


def _try_processes(scene: Scene) -> str:
    if _namespace(scene):
        found = _opened(scene["process"])
        if not found:
            os.kill(int(scene["process"]), 0)
        return found or "processes outside can be signalled"
    # the fence's own: where it has nothing that this process has not, to enter it is nothing
    found = _opened("1")
    return "" if _rights("1") == _rights("self") and _files("1") <= _files("self") else found


def _opened(number: str) -> str:
    for name in ("mem", "environ", "root/etc", "fd/0", "cwd"):
        try:
            os.close(os.open(f"/proc/{number}/{name}", os.O_RDONLY))
        except OSError:
            continue
        return f"/proc/{number}/{name} can be opened"
    return ""


def _rights(number: str) -> dict[str, str]:
    wanted = ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd", "NoNewPrivs", "Seccomp")
    with open(f"/proc/{number}/status") as file:
        rows = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    return {name: rows.get(name, "") for name in wanted}


def _files(number: str) -> set[str]:
    folder = f"/proc/{number}/fd"
    found = {"/dev/null", "anon_inode:[eventfd]"}  # bubblewrap's hears how its command ended
    for name in os.listdir(folder):
        try:
            found.add(os.readlink(f"{folder}/{name}"))
        except OSError:  # the one that the list was read with
            continue
    return found


def _try_process_list(scene: Scene) -> str:
    return "processes outside are visible" if _namespace(scene) else ""


def _namespace(scene: Scene) -> bool:
    """Whether it is the one outside."""
    return scene["system"] != LINUX or scene["namespace"] == os.readlink("/proc/self/ns/pid")


def _try_terminal(scene: Scene) -> str:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return ", ".join(name for name in os.listdir("/dev/pts") if name != "ptmx")
    return "there is a controlling terminal"


def _try_rights(scene: Scene) -> str:
    if scene["system"] != LINUX:
        return ELSEWHERE
    found = _rights("self")
    if found["NoNewPrivs"] != "1":
        return "programs can gain rights"
    # the bounds of who is not root matter to nobody: with no_new_privs no program gains any
    sets = ["CapEff", "CapPrm", "CapInh", "CapAmb", *(["CapBnd"] if os.getuid() == 0 else [])]
    return "it has capabilities" if any(int(found[name], 16) for name in sets) else ""


def _try_mounts(scene: Scene) -> str:
    if scene["system"] != LINUX:
        return ELSEWHERE
    libc = ctypes.CDLL(None, use_errno=True)
    folder = os.fsencode(scene["workspace"])
    if libc.mount(b"none", folder, b"tmpfs", 0, None) == 0:
        libc.umount2(folder, 2)
        return "it can mount"
    return "it can make user namespaces" if libc.unshare(UNSHARE_USER) == 0 else ""


def _try_kernel(scene: Scene) -> str:
    if scene["system"] != LINUX:
        return ELSEWHERE
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/proc/sys/vm/swappiness",
        "/proc/irq/default_smp_affinity",
    ):
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            continue
        return f"{path} can be written"
    return ""


def _try_private_tmp(scene: Scene) -> str:
    return _read(scene["tmp"])


def _try_vsock(scene: Scene) -> str:
    if scene["system"] != LINUX:
        return ELSEWHERE
    for name, family, kind in (
        ("VSOCK", 40, 1),
        ("ALG", 38, 5),
        ("PACKET", 17, 3),
        ("TIPC", 30, 2),
    ):
        try:
            socket.socket(family, kind).close()
        except OSError:
            continue
        return f"sockets of the family {name} can be made"
    return ""


def _try_calls(scene: Scene) -> str:
    if scene["clone3"] == scene["keyctl"]:
        return "the numbers of its calls are not known for this machine"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(int(scene["clone3"]), None, 0) < 0 and ctypes.get_errno() != 38:
        return "clone3 can be called"
    if libc.syscall(int(scene["keyctl"]), 0, -3, 1) >= 0:
        return "keys of the session can be reached"
    if libc.ioctl(0, ctypes.c_ulong(0x5412), b"x") == 0 or ctypes.get_errno() != 1:
        return "a terminal can be typed into"
    return "the layout of memory can be set" if libc.personality(0x0400000) >= 0 else ""


def _written(*paths: str) -> str:
    for path in paths:
        try:
            with open(path, "a") as file:
                file.write("x")
        except OSError:
            continue
        return f"{path} was written"
    return ""


def _read(path: str) -> str:
    with open(path) as file:
        return f"{path} was read" if file.read() else ""


def _moved(path: str, to: str) -> str:
    try:
        os.rename(path, to)
    except OSError:
        return ""
    return f"{path} was moved away"


def _replaced(path: str) -> str:
    for undo in (os.rmdir, os.unlink):
        try:
            undo(path)
        except OSError:
            continue
        return f"{path} was taken away"
    return _written(path)


def _force(path: str) -> None:
    """Whether anything of it is on the disk, only who looks from outside can tell (`trial`)."""
    try:
        os.chmod(path, 0o755)
    except OSError:
        return
    _written(f"{path}/x")


def _under(path: str) -> str:
    try:
        os.mkdir(path)
    except FileExistsError:
        return _written(f"{path}/x")
    except OSError:
        return ""
    return f"{path} was made"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
