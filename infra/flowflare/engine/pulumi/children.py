"""Sees that nothing of a CLI outlives whoever runs it: neither the CLI nor its plugins.

A CLI whose runner is killed is told as if Ctrl-C had been pressed: it ends the step under way,
writes state, gives up its lock and stops its plugins. A CLI that is killed itself leaves its
plugins behind, which wait for ever, in process groups of their own; they are found by a mark in
their environment. Both are Linux's ways; elsewhere the CLI runs on to its end.
"""

import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

#: Names the stack in the environment of a CLI and all that it starts.
MARK: Final = "FLOWFLARE_STACK_RUN"
_PROC: Final = Path("/proc")
# PR_SET_PDEATHSIG is 1. The runner may be gone before it is set. exec keeps it.
_LAUNCH: Final = (
    "import ctypes, os, signal, sys\n"
    "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGINT)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit(130)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def launched(cli: str, words: Sequence[str]) -> list[str]:
    """The command line of a CLI that stops when this thread or its process is gone.

    Args:
        cli: the program, absolute.
        words: its words.
    """
    if sys.platform != "linux":
        return [cli, *words]
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), cli, *words]


def mark_of(root: Path, stack: str = "") -> str:
    """What tells the processes of one stack, or of a project, from all others on this machine.

    Args:
        root: the project's folder.
        stack: the stack's name; empty for all of the project.
    """
    return f"{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}/{stack}"


def end_left_behind(mark: str) -> list[int]:
    """Kills what a CLI that is gone has left behind; of one that runs nothing is touched.

    Args:
        mark: the stack's, or the project's.

    Returns:
        The processes that were killed.
    """
    if sys.platform != "linux":
        return []
    parents = _marked(mark)
    ended = []
    for pid in parents:
        top = pid
        while parents.get(top) in parents:
            top = parents[top]
        if not _is_cli(top):
            ended.append(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return ended


def _marked(mark: str) -> Mapping[int, int]:
    """The processes with a mark, each with its parent."""
    wanted = f"{MARK}={mark}".encode()
    is_project = mark.endswith("/")
    found: dict[int, int] = {}
    for folder in _PROC.iterdir():
        # Another user's cannot be read, and what ends meanwhile is not there any more.
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(folder.name)
            words = (folder / "environ").read_bytes().split(b"\0")
            if any(word == wanted or (is_project and word.startswith(wanted)) for word in words):
                # `pid (name) state ppid`, and a name may hold anything.
                found[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def _is_cli(pid: int) -> bool:
    """Whether a process is a CLI, or the launcher that is about to become one."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(words[0].decode(errors="replace")).name == "pulumi" or _LAUNCH.encode() in words
