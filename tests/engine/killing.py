"""Kill a process and every process that it started."""

import contextlib
import os
import signal
from pathlib import Path


def kill_tree(pid: int) -> None:
    """Kill a process, then its descendants, also those in other process groups."""
    family = [pid]
    for member in family:  # grows during the loop
        family += list_children(member)
    for member in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def list_children(pid: int) -> list[int]:
    """List the processes that any thread of a process started."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found
