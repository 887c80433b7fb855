"""Filters a text that is written in pieces."""

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final

from flowflare.redaction.redactor import Redactor
from flowflare.redaction.run import redact


class Passage:
    """Passes text on as soon as it is certain that no secret begins in it.

    Args:
        redactor: the filter.
        put: takes what is passed on.
    """

    def __init__(self, redactor: Redactor, put: Callable[[str], Any]) -> None:
        self._redactor = redactor
        self._put = put
        self._rest = ""
        self._last = ""
        self._has_ended = False
        self._lock = threading.RLock()
        _passages.add(self)

    def write(self, text: str, *, is_last: bool = False) -> None:
        """Pass on what is certain, or everything if it is the last text."""
        with self._lock:
            if self._has_ended:
                self._put(redact(text))
                return
            whole = self._rest + text
            done, self._rest = self._redactor.redact_part(whole, self._last, is_last=is_last)
            if len(whole) > len(self._rest):
                self._last = whole[len(whole) - len(self._rest) - 1]
            if done:
                self._put(done)

    def end(self, leave: Callable[[], None]) -> None:
        """Pass on everything. What comes later passes through the filter of the run of that time.

        Args:
            leave: is called in between.
        """
        with self._lock:
            try:
                self.write("", is_last=True)
            finally:
                self._has_ended = True
                leave()

    def renew_lock(self) -> None:
        """Make it usable in a forked process: the thread that had it locked is not there."""
        self._lock = threading.RLock()


_passages: Final = weakref.WeakSet[Passage]()


def _renew_locks() -> None:
    for passage in list(_passages):
        passage.renew_lock()


os.register_at_fork(after_in_child=_renew_locks)
