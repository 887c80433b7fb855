"""Count the calls that were sent, by stack and by kind."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Count:
    """The calls of one stack.

    Attributes:
        reads: GET, HEAD and OPTIONS.
        writes: all other methods. D1 queries are POST, including those that only read.
        held: how many calls waited for the budget.
        waited: the total seconds that they waited.
    """

    reads: int = 0
    writes: int = 0
    held: int = 0
    waited: float = 0.0

    @property
    def calls(self) -> int:
        """All calls."""
        return self.reads + self.writes


class Tally:
    """The counts of a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Count] = {}

    def add(self, stack: str, method: str, waited: float) -> None:
        """Count a call that is sent now.

        Args:
            waited: the seconds that the call waited.
        """
        with self._lock:
            count = self._counts.get(stack, Count())
            is_read = method in _READS
            self._counts[stack] = replace(
                count,
                reads=count.reads + is_read,
                writes=count.writes + (not is_read),
                held=count.held + (waited > 0),
                waited=count.waited + waited,
            )

    def counts(self) -> Mapping[str, Count]:
        """Return the counts so far, by stack."""
        with self._lock:
            return dict(self._counts)
