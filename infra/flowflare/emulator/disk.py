"""Say why the data folder cannot be written, and what to do about it."""

import errno
import sqlite3

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)


def find_disk_problem(error: Exception) -> str | None:
    """Return the problem and its remedy if the error is one of the disk; None for other errors."""
    name = getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL or name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return (
            f"The data folder cannot be written: {error}. "
            "Free disk space, or raise the quota, and repeat the call."
        )
    if number in _REFUSED or name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return (
            f"The data folder cannot be written: {error}. "
            "Make the folder writable for the user of the emulator, and repeat the call."
        )
    return None
