"""Write and read Time Travel bookmarks, which identify a moment of a database as D1 does.

workerd's own bookmark is always zero on disk, so a bookmark encodes the time. Later bookmarks sort
after earlier ones, as D1's do.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta

from flowflare.emulator import codes
from flowflare.emulator.services.d1.store import D1Database

_FORM = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})-0{8}-[0-9a-f]{32}")


def read_moment(given: str | None) -> datetime:
    """Return the time that a request names (ISO 8601 or seconds since 1970), or now.

    Raises:
        Refusal: 7400, it is not a time.
    """
    if given is None:
        return datetime.now(UTC)
    try:
        if given.replace(".", "", 1).isdecimal():
            return datetime.fromtimestamp(float(given), UTC)
        time = datetime.fromisoformat(given)
    except (ValueError, OverflowError):
        raise codes.invalid_property(f"timestamp: Invalid time: {given}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def bookmark(database: D1Database, time: datetime) -> str:
    """Return the bookmark of a database at a time.

    Raises:
        Refusal: 7400, the database did not exist then.
    """
    if time < datetime.fromisoformat(database.created_at):
        raise codes.invalid_property("timestamp: is before the database was created")
    seconds, fraction = int(time.timestamp()), time.microsecond
    digest = hashlib.sha256(f"{database.uuid}/{seconds}/{fraction}".encode()).hexdigest()
    return f"{seconds:08x}-{fraction:08x}-00000000-{digest[:32]}"


def time_of(database: D1Database, given: str) -> datetime:
    """Return the time of one of the database's bookmarks.

    Raises:
        Refusal: 7400, it is not a bookmark, or another database's.
    """
    match = _FORM.fullmatch(given)
    if match:
        seconds, micros = int(match[1], 16), int(match[2], 16)
        time = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
        if given == bookmark(database, time):
            return time
    raise codes.invalid_property(f"bookmark: Invalid bookmark: {given}")
