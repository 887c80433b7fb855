"""The process that holds a stack, and whether it is known to have ended.

Host names repeat, especially in containers, and so do process IDs. A process is identified by the
boot of its kernel, its pid namespace and the tick at which it began. If these match this machine
and the process does not exist, it is dead. Anything less proves nothing.
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
        machine: boot and pid namespace, empty if unknown.
        began: when it began, in kernel ticks since the boot; empty if unknown.
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
        """Whether it is, or was, a process in this one's pid namespace."""
        return bool(self.machine) and self.machine == identify_machine()

    @property
    def is_this(self) -> bool:
        """Whether it is the current process."""
        return self.is_here and (self.pid, self.began) == (os.getpid(), _read_begin(os.getpid()))

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have ended."""
        return self.is_here and (not is_alive(self.pid) or _read_begin(self.pid) != self.began)


def read_this_process() -> Holder:
    """Return the current process."""
    user = os.environ.get("USER") or f"uid {os.getuid()}"
    return Holder(
        os.getpid(), user, socket.gethostname(), identify_machine(), _read_begin(os.getpid())
    )


def read_holder(raw: Mapping[str, Any]) -> Holder:
    """Read the holder from a lock or a lease.

    Raises:
        KeyError, TypeError, ValueError: a field is missing or invalid.
    """
    return Holder(
        pid=int(raw["pid"]),
        username=str(raw["username"]),
        hostname=str(raw["hostname"]),
        machine=str(raw.get("machine", "")),
        began=str(raw.get("began", "")),
    )


@lru_cache(maxsize=1)
def identify_machine() -> str:
    """Return this kernel's boot ID and this process's pid namespace; empty if unknown."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Return whether a process with that ID exists here."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid > 0


def _read_begin(pid: int) -> str:
    """Return the tick at which a process began; empty if it has ended or is a zombie."""
    with contextlib.suppress(OSError, IndexError):
        # The second field is the program's name in parentheses, which may contain anything.
        fields = (_PROC / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()
        return "" if fields[0] in _ENDED else fields[19]
    return ""
