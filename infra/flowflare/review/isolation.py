"""Start a program that cannot use the network, write other files or read this user's files.

Run as a script, this file confines its own process and then runs the program: `python -I -S
isolation.py '{"writable": [...], "readable": [...], "hidden": [...]}' PROGRAM ARGUMENT...`. It uses
namespaces, which every Linux user can create by default (user_namespaces(7)). In its own user
namespace, a process cannot read the environment or memory of processes outside. In its own process
namespace, it cannot find or signal them, and all that it starts ends with it.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

#: Folders of the system, which stay readable. All other top folders are hidden.
_SYSTEM: Final = frozenset(
    {"bin", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "proc", "sbin", "sys", "usr"}
)
_DEVICES: Final = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
#: Variables that name files and folders with credentials.
VARIABLES: Final = (
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AZURE_CONFIG_DIR", "DOCKER_CONFIG"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG", "NPM_CONFIG_USERCONFIG", "PULUMI_HOME"),
    "PULUMI_CONFIG_PASSPHRASE_FILE",
)
_SCRIPT: Final = str(Path(__file__))
_SET_DUMPABLE, _SIGNAL_OF_PARENT = 4, 1  # prctl(2)
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000  # unshare(2)
_NEW_REST: Final = 0x40000000 | 0x20000000 | 0x08000000  # network, processes, IPC
_PRIVATE, _RECURSIVE, _BIND, _NO_SUID_NO_DEVICES = 1 << 18, 1 << 14, 1 << 12, 2 | 4  # mount(2)
_MOUNT_SETATTR: Final = 442  # the number of the call on every architecture since Linux 5.12
_READ_ONLY: Final = 1
_BELOW: Final = 0x8000  # AT_RECURSIVE
_SIGNALLED: Final = 128  # the exit code of a shell for a program that a signal ended
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 -- the folder of POSIX semaphores


def isolate(request: dict[str, Any], command: Sequence[str]) -> list[str]:
    """Return the command that confines a program.

    Args:
        request: `writable` folders, `hidden` files and folders, and `readable` ones in them.
        command: the program with its arguments.
    """
    return [sys.executable, "-I", "-S", _SCRIPT, json.dumps(request), *command]


def explain_missing(request: dict[str, Any]) -> str:
    """Return why this machine cannot confine a Python program; empty if it can."""
    if sys.platform != "linux":
        return "only Linux has namespaces"
    command = isolate(request, [sys.executable, "-I", "-S", "-c", ""])
    done = subprocess.run(command, capture_output=True, check=False, text=True, env={}, cwd="/")
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]


def list_hidden(more: Iterable[Path]) -> list[str]:
    """List the files and folders that are not the system's: homes, temporary files, sockets.

    Args:
        more: other files and folders to hide.
    """
    tops = [path for path in Path("/").iterdir() if path.name not in _SYSTEM]
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 -- without a home folder: unchanged
    named = [Path(os.environ[name]) for name in VARIABLES if os.environ.get(name)]
    found = {path.resolve() for path in [*tops, home, *named, *more] if path.exists()}
    linked = {Path("/", name).resolve() for name in _SYSTEM}
    return sorted(str(path) for path in found - linked - {Path("/")})


@contextlib.contextmanager
def hide_memory() -> Iterator[None]:
    """Keep other processes of this user from reading this one's memory and environment."""
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.prctl(_SET_DUMPABLE, 0)
    try:
        yield
    finally:
        libc.prctl(_SET_DUMPABLE, 1)


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def _confine(writable: Sequence[str], readable: Sequence[str], hidden: Sequence[str]) -> None:
    """Move this process into namespaces of its own. Only a child of it returns."""
    folder = os.getcwd()  # noqa: PTH109 -- no pathlib needed
    process = os.open("/proc", os.O_PATH)  # stays writable
    _enter(process, _NEW_REST)
    _fork()
    _mount("none", "/", None, _PRIVATE | _RECURSIVE)
    _hide(hidden, [*writable, *readable, *_DEVICES])
    for path in writable:
        _mount(path, path, None, _BIND | _RECURSIVE)
    with contextlib.suppress(OSError):  # in some containers: then processes' names are visible
        _mount("proc", "/proc", "proc", _NO_SUID_NO_DEVICES)
    if Path("/dev").is_dir():
        Path(_SHARED_MEMORY).mkdir(exist_ok=True)
        _mount("none", _SHARED_MEMORY, "tmpfs", _NO_SUID_NO_DEVICES)
    _set_attributes("/", _MountAttributes(set=_READ_ONLY))
    for path in (*writable, _SHARED_MEMORY):
        _set_attributes(path, _MountAttributes(clear=_READ_ONLY))
    _fork()
    # The mounts belong to the first user namespace: root of a second cannot undo them.
    _enter(process, 0)
    os.chdir(folder)  # below the mounts of now, not of before


def _enter(process: int, namespaces: int) -> None:
    """Enter new namespaces for users and mounts, as the same user."""
    user, group = os.getuid(), os.getgid()
    _call("unshare", _NEW_USER | _NEW_MOUNTS | namespaces)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        file = os.open(f"self/{name}", os.O_WRONLY, dir_fd=process)
        os.write(file, text.encode())
        os.close(file)


def _fork() -> None:
    """Return in a child, which dies with this process. This process exits with its code."""
    child = os.fork()
    if child == 0:
        _call("prctl", _SIGNAL_OF_PARENT, ctypes.c_ulong(signal.SIGKILL))
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ended, status = 0, 0
    while ended != child:
        ended, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else _SIGNALLED - code)


def _hide(hidden: Sequence[str], kept: Sequence[str]) -> None:
    """Mount empty folders and files over the hidden ones, and keep the named paths in them."""
    held = {path: os.open(path, os.O_PATH) for path in kept if Path(path).exists()}
    for path in sorted(hidden):
        inner = {name: file for name, file in held.items() if name.startswith(f"{path}/")}
        if path in held or not Path(path).exists():
            continue
        if not Path(path).is_dir():
            _mount(os.devnull, path, None, _BIND)
            continue
        _mount("none", path, "tmpfs", _NO_SUID_NO_DEVICES)
        for name, file in sorted(inner.items()):
            if Path(name).exists():
                continue
            source = f"/proc/self/fd/{file}"
            if Path(source).is_dir():
                Path(name).mkdir(parents=True)
            else:
                Path(name).parent.mkdir(parents=True, exist_ok=True)
                Path(name).touch()
            _mount(source, name, None, _BIND | _RECURSIVE)
    for file in held.values():
        os.close(file)


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    words = (os.fsencode(source), os.fsencode(target), kind.encode() if kind else None)
    _call("mount", *words, ctypes.c_ulong(flags), None)


def _set_attributes(path: str, attributes: _MountAttributes) -> None:
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    where = (ctypes.c_long(-100), os.fsencode(path), ctypes.c_long(_BELOW))  # AT_FDCWD
    _call("syscall", ctypes.c_long(_MOUNT_SETATTR), *where, ctypes.byref(attributes), size)


def _call(name: str, *words: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*words) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def _main() -> None:
    request, command = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        _confine(request["writable"], request["readable"], request["hidden"])
        os.execv(command[0], command)  # noqa: S606 -- the program that the caller names
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    _main()
