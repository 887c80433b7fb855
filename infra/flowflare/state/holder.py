"""Who holds a stack: a process on a machine, and whether it is known to have ended.

Host names repeat, in containers above all, and so do process ids. A process is known by the boot
of its kernel, its pid namespace and the tick at which it began: where those are the same and the
process is not there, it is dead. Anything less proves nothing.
"""

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

_PROC: Final = Path("/proc")
_ENDED: Final = ("Z", "X")


@dataclass(frozen=True)
class Holder:
    """A process.

    Attributes:
        pid: its id.
        username: whose it is.
        hostname: its host's name.
        machine: boot and pid namespace, empty where the system does not tell.
        began: when it began, in the kernel's ticks since the boot; empty where not told.
    """

    pid: int
    username: str
    hostname: str
    machine: str = ""
    began: str = ""

    def __str__(self) -> str:
        return f"{self.username}@{self.hostname} (pid {self.pid})"

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, a process that this one would see."""
        return bool(self.machine) and self.machine == machine()

    @property
    def is_this(self) -> bool:
        """Whether it is the process that asks."""
        return self.is_here and (self.pid, self.began) == (os.getpid(), _began(os.getpid()))

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have ended."""
        return self.is_here and (not alive(self.pid) or _began(self.pid) != self.began)


def this_process() -> Holder:
    """The process that asks."""
    user = os.environ.get("USER") or f"uid {os.getuid()}"
    return Holder(os.getpid(), user, socket.gethostname(), machine(), _began(os.getpid()))


def read_holder(raw: Mapping[str, Any]) -> Holder:
    """A holder as a lock or a lease names it.

    Raises:
        KeyError, TypeError, ValueError: it names none.
    """
    return Holder(
        pid=int(raw["pid"]),
        username=str(raw["username"]),
        hostname=str(raw["hostname"]),
        machine=str(raw.get("machine", "")),
        began=str(raw.get("began", "")),
    )


@lru_cache(maxsize=1)
def machine() -> str:
    """The boot of this kernel and this process's pid namespace."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Whether there is a process with that id here."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid > 0


def _began(pid: int) -> str:
    """The tick at which a process began; empty for one that has ended, a zombie included."""
    with contextlib.suppress(OSError, IndexError):
        # The second field is the program's name in parentheses, and may hold anything.
        fields = (_PROC / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()
        return "" if fields[0] in _ENDED else fields[19]
    return ""
