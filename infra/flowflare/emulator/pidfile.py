"""Record which process serves a data folder: a file with its process ID, port and start time.

A process ID alone is not enough: after a crash the system may have given it to another program,
which started at another time.
"""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from flowflare.emulator.environment import needed_environment

_NAME = "emulator.json"


@dataclass(frozen=True)
class Owner:
    """Identify the process that serves a data folder."""

    pid: int
    port: int
    born: str

    def is_alive(self) -> bool:
        """Return whether this very process is still running."""
        return read_start_time(self.pid) == self.born


def read_start_time(pid: int) -> str | None:
    """Return when a process started, in the system's own format, or None if it does not run."""
    if platform.system() == "Linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # In `stat` of proc(5), field 3 is the state and field 22 the start time in ticks since
        # boot.
        return None if fields[0] == "Z" else fields[19]
    listed = subprocess.run(
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=needed_environment(os.environ),
    )
    return listed.stdout.strip() or None


def write(data: Path, pid: int, port: int) -> None:
    """Record that a process serves a data folder."""
    owner = Owner(pid, port, read_start_time(pid) or "")
    draft = data / f"{_NAME}.new"
    draft.write_text(json.dumps(asdict(owner)))
    draft.replace(data / _NAME)


def read(data: Path) -> Owner | None:
    """Return the process that serves a data folder, or None if it has ended."""
    try:
        owner = Owner(**json.loads((data / _NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return owner if owner.is_alive() else None


def remove(data: Path) -> None:
    """Remove the record of a data folder's process."""
    (data / _NAME).unlink(missing_ok=True)
