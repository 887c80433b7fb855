"""Who runs the emulator of a data folder: a file with process id, port and the process's birth.

A process id alone is not trusted: after a crash the system may have given it to another program,
which was born at another time.
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
    """The process that serves a data folder."""

    pid: int
    port: int
    born: str

    def alive(self) -> bool:
        """Whether that very process still runs."""
        return born(self.pid) == self.born


def born(pid: int) -> str | None:
    """When a process was started, in whatever form the system says it; None if it does not run."""
    if platform.system() == "Linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # Field 3 of proc(5)'s stat is the state, field 22 the start in ticks since boot.
        return None if fields[0] == "Z" else fields[19]
    told = subprocess.run(
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=needed_environment(os.environ),
    )
    return told.stdout.strip() or None


def write(data: Path, pid: int, port: int) -> None:
    """Says that a process serves a data folder now."""
    owner = Owner(pid, port, born(pid) or "")
    draft = data / f"{_NAME}.new"
    draft.write_text(json.dumps(asdict(owner)))
    draft.replace(data / _NAME)


def read(data: Path) -> Owner | None:
    """The process that serves a data folder; None if none does, whatever the file says."""
    try:
        owner = Owner(**json.loads((data / _NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return owner if owner.alive() else None


def remove(data: Path) -> None:
    """Says that nobody serves a data folder any more."""
    (data / _NAME).unlink(missing_ok=True)
