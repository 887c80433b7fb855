"""Log the calls of the API in memory, bounded, without tokens and secrets.

Bodies are not stored. A summary names the object of a write, from fields that never contain
secrets.
"""

import itertools
from collections import deque
from dataclasses import asdict, dataclass

_MAX_ENTRIES = 20_000


@dataclass(frozen=True)
class Entry:
    """Record one call."""

    sequence: int
    time: str
    method: str
    path: str
    query: str
    account: str | None
    status: int | None
    """None if the connection was cut."""
    codes: tuple[int, ...]
    """Cloudflare's error codes in the answer."""
    fault: int | None
    """The fault rule that applied."""
    known: bool
    """False for an operation that the emulator does not have."""
    summary: str
    milliseconds: float


class RequestLog:
    """Hold the last calls, oldest first."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._entries: deque[Entry] = deque(maxlen=_MAX_ENTRIES)

    def next_number(self) -> int:
        """Return the sequence number of a call that begins now."""
        return next(self._numbers)

    def add(self, entry: Entry) -> None:
        """Add a finished call."""
        self._entries.append(entry)

    def since(self, sequence: int, account: str | None = None) -> list[dict[str, object]]:
        """Return the calls after a sequence number, of one account or of all, by sequence."""
        entries = [
            entry
            for entry in self._entries
            if entry.sequence > sequence and account in {None, entry.account}
        ]
        return [asdict(entry) for entry in sorted(entries, key=lambda entry: entry.sequence)]

    def clear(self) -> None:
        """Remove all entries; sequence numbers continue."""
        self._entries.clear()
