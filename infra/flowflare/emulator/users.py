"""Share one emulator among processes: it stops after the last of them has left or ended.

Each process holds a shared lock on a file of the data folder. The system releases the lock of a
process that ends in any way, so `kill -9` leaves no emulator behind. The process that gets the
exclusive lock stops the emulator, and keeps the lock meanwhile, so a new user never finds one that
is about to stop.
"""

import asyncio
import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flowflare.emulator import process
from flowflare.emulator.api_token import make_private

_NAME = "users.lock"
_INTERVAL = 0.5


@dataclass(frozen=True)
class User:
    """One use of a data folder's emulator by this process."""

    data: Path
    lock: IO[str]

    def leave(self) -> bool:
        """End this use. Stop the emulator if it was the last one.

        Returns:
            whether this call stopped the emulator.
        """
        with self.lock:
            if not _try_lock(self.lock):
                return False
            return process.stop(self.data)


def join(data: Path) -> User:
    """Begin to use a data folder's emulator, before it is started or found."""
    make_private(data)
    lock = (data / _NAME).open("a")
    fcntl.flock(lock, fcntl.LOCK_SH)
    return User(data, lock)


async def wait_until_unused(data: Path) -> IO[str]:
    """Wait until no process uses a data folder's emulator.

    Returns:
        the locked file; the caller keeps it open until the emulator has stopped.
    """
    lock = (data / _NAME).open("a")
    while not _try_lock(lock):
        await asyncio.sleep(_INTERVAL)
    return lock


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
