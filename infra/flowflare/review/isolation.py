"""Start a program that cannot use the network, write other files or read credentials.

Run as a script, this file confines its own process and then becomes the program: `python -I -S
isolation.py '{"writable": [...], "hidden": [...]}' PROGRAM ARGUMENT...`. It uses namespaces, which
every user of Linux can create by default (user_namespaces(7)). In its own user namespace, a process
cannot read the environment or memory of processes outside.
"""

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

#: Where users and machines keep credentials, relative to the home folder.
CREDENTIALS: Final = (
    *(".aws", ".azure", ".config", ".docker", ".git-credentials", ".gnupg", ".kube", ".netrc"),
    *(".npmrc", ".pulumi", ".pypirc", ".ssh", ".terraform.d", ".wrangler", ".local/share/keyrings"),
    *("/run/secrets", "/run/user", "/run/docker.sock", "/var/run/secrets"),
)
#: Variables that name such files and folders.
VARIABLES: Final = (
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AZURE_CONFIG_DIR", "DOCKER_CONFIG"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG", "NPM_CONFIG_USERCONFIG", "PULUMI_HOME"),
    "PULUMI_CONFIG_PASSPHRASE_FILE",
)
_SCRIPT: Final = str(Path(__file__))
_SET_DUMPABLE: Final = 4  # prctl(2)
_NEW_NAMESPACES: Final = 0x10000000 | 0x00020000 | 0x40000000  # user, mounts, network: unshare(2)
_PRIVATE, _RECURSIVE, _BIND, _NO_SUID_NO_DEVICES = 1 << 18, 1 << 14, 1 << 12, 2 | 4  # mount(2)
_MOUNT_SETATTR: Final = 442  # the number of the call on every architecture since Linux 5.12
_READ_ONLY: Final = 1
_BELOW: Final = 0x8000  # AT_RECURSIVE
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 -- the folder of POSIX semaphores


def isolate(request: dict[str, Any], command: Sequence[str]) -> list[str]:
    """Return the command that confines a program.

    Args:
        request: `writable` folders, and `hidden` files and folders.
        command: the program with its arguments; empty to test whether the kernel allows this.
    """
    return [sys.executable, "-I", "-S", _SCRIPT, json.dumps(request), *command]


def explain_missing(request: dict[str, Any]) -> str:
    """Return why this machine cannot confine a program; empty if it can."""
    if sys.platform != "linux":
        return "only Linux has namespaces"
    done = subprocess.run(
        isolate(request, []), capture_output=True, check=False, text=True, env={}, cwd="/"
    )
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]


def list_hidden(more: Iterable[Path], needed: Iterable[Path]) -> list[str]:
    """List the existing files and folders with credentials.

    Args:
        more: other such files and folders.
        needed: folders that the program reads: a folder that contains one is not hidden.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 -- without a home folder: unchanged
    named = [Path(os.environ[name]) for name in VARIABLES if os.environ.get(name)]
    found = {path.resolve() for path in [*(home / name for name in CREDENTIALS), *named, *more]}
    used = [path.resolve() for path in needed]
    return sorted(
        str(path)
        for path in found
        if path.exists() and not any(place.is_relative_to(path) for place in used)
    )


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


def _confine(writable: Sequence[str], hidden: Sequence[str]) -> None:
    """Move this process into namespaces of its own."""
    user, group, folder = os.getuid(), os.getgid(), os.getcwd()  # noqa: PTH109 -- no pathlib needed
    _call("unshare", _NEW_NAMESPACES)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")
    _mount("none", "/", None, _PRIVATE | _RECURSIVE)
    for path in writable:
        _mount(path, path, None, _BIND | _RECURSIVE)
    for path in hidden:
        if Path(path).is_dir():
            _mount("none", path, "tmpfs", _NO_SUID_NO_DEVICES)
        else:
            _mount(os.devnull, path, None, _BIND)
    shared = [_SHARED_MEMORY] if Path(_SHARED_MEMORY).is_dir() else []
    for path in shared:
        _mount("none", path, "tmpfs", _NO_SUID_NO_DEVICES)
    _set_attributes("/", _MountAttributes(set=_READ_ONLY))
    for path in (*writable, *shared):
        _set_attributes(path, _MountAttributes(clear=_READ_ONLY))
    os.chdir(folder)  # below the mounts of now, not of before


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
        _confine(request["writable"], request["hidden"])
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
    if command:
        os.execv(command[0], command)  # noqa: S606 -- the program that the caller names


if __name__ == "__main__":
    _main()
