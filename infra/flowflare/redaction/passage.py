"""Filter a string that is written in pieces."""

import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final

from flowflare.redaction.forms import SHORTEST
from flowflare.redaction.redactor import Redactor
from flowflare.redaction.run import redact

#: A person at a terminal sees the end of a text after this many seconds, if it is no longer than
#: this, so that of a secret written letter by letter not even a significant part is shown.
_PATIENCE: Final = 0.3
_LONGEST_AHEAD: Final = SHORTEST - 1


class Passage:
    """Passes text on as soon as it is certain that no secret begins in it.

    Args:
        put: receives the text that is passed on.
        is_watched: whether the end of a string is passed on after a moment although a secret may
            begin in it, so that a person sees a line of progress as it is written.
    """

    def __init__(
        self, redactor: Redactor, put: Callable[[str], Any], *, is_watched: bool = False
    ) -> None:
        self._redactor = redactor
        self._put = put
        self._is_watched = is_watched
        self._timer: threading.Timer | None = None
        self._rest = ""
        self._ahead = 0  # the number of characters of the rest that were already passed on
        self._last = ""
        self._has_ended = False
        self._lock = threading.RLock()
        _passages.add(self)

    def write(self, text: str, *, is_last: bool = False) -> None:
        """Pass on what is certain, or everything if this is the last text."""
        with self._lock:
            if self._has_ended:
                self._put(redact(text))
                return
            whole = self._rest + text
            done, self._rest = self._redactor.redact_part(whole, self._last, is_last=is_last)
            taken = len(whole) - len(self._rest)
            if taken:
                self._last = whole[taken - 1]
            done = self._without_ahead(done, whole[: self._ahead], taken)
            if done:
                self._put(done)
            self._wait_to_show()

    def _without_ahead(self, done: str, ahead: str, taken: int) -> str:
        """Return what is left to pass on. A secret that began earlier is replaced in full."""
        self._ahead = max(0, len(ahead) - taken)
        ahead = ahead[:taken]
        return done.removeprefix(ahead)

    def _wait_to_show(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_watched and self._ahead < len(self._rest) <= _LONGEST_AHEAD:
            self._timer = threading.Timer(_PATIENCE, self._show_rest, (self._rest,))
            self._timer.daemon = True
            self._timer.start()

    def _show_rest(self, rest: str) -> None:
        with self._lock:
            if rest == self._rest and not self._has_ended:
                with contextlib.suppress(OSError, ValueError):  # the terminal is closed
                    self._put(rest[self._ahead :])
                self._ahead = len(rest)

    def end(self, leave: Callable[[], None]) -> None:
        """Pass on everything. Later text passes through the filter of the then current run.

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
        """Renew the lock in a forked process, which does not have the thread that held it."""
        self._lock = threading.RLock()


_passages: Final = weakref.WeakSet[Passage]()


def _renew_locks() -> None:
    for passage in list(_passages):
        passage.renew_lock()


os.register_at_fork(after_in_child=_renew_locks)
