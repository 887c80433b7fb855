"""What was asked of the API: in memory, bounded, without tokens and without secrets.

Bodies are not kept. A summary names what a write was about, out of fields that never hold a value.
"""

import itertools
from collections import deque
from dataclasses import asdict, dataclass

_MOST = 20_000


@dataclass(frozen=True)
class Entry:
    """One call."""

    sequence: int
    time: str
    method: str
    path: str
    query: str
    account: str | None
    status: int | None
    """None where the connection was cut."""
    codes: tuple[int, ...]
    """Cloudflare's error codes in the answer."""
    fault: int | None
    """The fault rule that applied."""
    known: bool
    """False for an operation the emulator does not have."""
    summary: str
    milliseconds: float


class RequestLog:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._entries: deque[Entry] = deque(maxlen=_MOST)

    def next_number(self) -> int:
        """The sequence number of a call that begins now."""
        return next(self._numbers)

    def add(self, entry: Entry) -> None:
        """Writes a finished call."""
        self._entries.append(entry)

    def since(self, sequence: int, account: str | None = None) -> list[dict[str, object]]:
        """The calls after a sequence number, of one account or of all, by sequence."""
        found = [
            each
            for each in self._entries
            if each.sequence > sequence and account in {None, each.account}
        ]
        return [asdict(each) for each in sorted(found, key=lambda each: each.sequence)]

    def clear(self) -> None:
        """Forgets everything; sequence numbers go on."""
        self._entries.clear()
