"""End a CLI and its plugins together with the process that runs it.

If that process is killed, the CLI gets the signal of Ctrl-C: it ends the current step, writes the
state, releases its lock and stops its plugins. If the CLI itself is killed, its plugins wait
forever in process groups of their own; they are found by a mark in their environment. Both work
only on Linux; on other systems the CLI runs to its end.
"""

import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

#: The variable that names the stack in the environment of a CLI and of its child processes.
MARK: Final = "FLOWFLARE_STACK_RUN"
_PROC: Final = Path("/proc")
# PR_SET_PDEATHSIG is 1. The parent may have ended before it is set. exec keeps it.
_LAUNCH: Final = (
    "import ctypes, os, signal, sys\n"
    "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGINT)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit(130)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def wrap_command(cli: str, words: Sequence[str]) -> list[str]:
    """Make the command line of a CLI that stops when this thread or its process ends.

    Args:
        cli: the absolute path of the program.
    """
    if sys.platform != "linux":
        return [cli, *words]
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), cli, *words]


def mark_of(root: Path, stack: str = "") -> str:
    """Return the mark of the processes of a stack, or of a project, on this machine.

    Args:
        stack: the stack's name; empty for all stacks of the project.
    """
    return f"{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}/{stack}"


def end_left_behind(mark: str) -> list[int]:
    """Kill the processes that a dead CLI has left; those of a running CLI are not touched.

    Args:
        mark: the mark of the stack, or of the project.

    Returns:
        The IDs of the processes that were killed.
    """
    if sys.platform != "linux":
        return []
    parents = _find_marked(mark)
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


def _find_marked(mark: str) -> Mapping[int, int]:
    """Find the processes with a mark; return the parent of each, by process ID."""
    wanted = f"{MARK}={mark}".encode()
    is_project = mark.endswith("/")
    found: dict[int, int] = {}
    for folder in _PROC.iterdir():
        # Another user's process cannot be read, and a process may end in the meantime.
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(folder.name)
            words = (folder / "environ").read_bytes().split(b"\0")
            if any(word == wanted or (is_project and word.startswith(wanted)) for word in words):
                # `pid (name) state ppid`, and a name may contain any character.
                found[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def _is_cli(pid: int) -> bool:
    """Return whether a process is a CLI, or the launcher that is about to become one."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(words[0].decode(errors="replace")).name == "pulumi" or _LAUNCH.encode() in words
