"""Replace secrets in strings by `[secret]`.

Programs of the Pulumi CLI run in another process, so their secrets are not reported while they run.
The filter asks for those before it filters a string (`learn_later`).
"""

import operator
import re
import threading
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Final

from flowflare.redaction.forms import LONG, list_forms
from flowflare.redaction.texts import list_texts

#: Replaces a secret.
REDACTED: Final = "[secret]"
# A longer text, such as a Worker's code, is only searched for secrets in their plain form.
_LONGEST_VALUE: Final = 65536
_IN_WORD: Final = re.compile(r"[0-9A-Za-z_]")
# A stand-in of a recording (`engine/embedded/recording.py`): it already hides a secret, and
# comparisons of recordings need it.
_STAND_IN: Final = re.compile(r"sealed-[0-9a-f]{32}")


class Redactor:
    """Secrets, and the filter that replaces them. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._secrets: set[str] = set()
        self._new: list[str] = []
        self._anywhere: set[str] = set()
        self._plain: set[str] = set()
        self._words: set[str] = set()
        self._word: re.Pattern[str] | None = None
        self._by_head: dict[str, list[str]] = {}
        self._beginnings: set[str] = set()
        self._word_beginnings: set[str] = set()
        self._longest = 0
        self._sources: list[Callable[[], None]] = []
        self._asking = threading.local()

    def learn(self, value: Any) -> None:
        """Add a secret.

        Args:
            value: see `list_texts`.
        """
        with self._lock:
            for text in list_texts(value):
                if text not in self._secrets and not _STAND_IN.search(text):
                    self._secrets.add(text)
                    self._new.append(text)

    def learn_later(self, find_more: Callable[[], None]) -> None:
        """Ask for more secrets each time before a string is filtered.

        Args:
            find_more: adds the secrets that are new since its last call. Threads may call it
                concurrently.
        """
        with self._lock:
            if find_more not in self._sources:
                self._sources.append(find_more)

    def redact(self, text: str) -> str:
        """Replace every secret in a string."""
        return self.redact_part(text, is_last=True)[0]

    def redact_part(self, text: str, before: str = "", *, is_last: bool) -> tuple[str, str]:
        """Replace every secret in a string whose end may be written later.

        Args:
            text: what was not returned as filtered so far.
            before: the last character that was; empty at the beginning.
            is_last: whether nothing follows.

        Returns:
            The filtered part, and the rest. A secret may begin in the rest, so it needs the
            following text.
        """
        self._ask()
        with self._lock:
            self._prepare()
            spans = self._spans(text, before)
            end = len(text) if is_last else self._end(text, before, spans)
        return _replace(text[:end], [span for span in spans if span[1] <= end]), text[end:]

    def redact_values(self, value: Any) -> Any:
        """Replace long secrets in the strings of a JSON value, including the keys of mappings.

        Returns:
            The same object if it contains no secret.
        """
        self._ask()
        with self._lock:
            self._prepare()
            return self._redact_value(value)

    def renew_lock(self) -> None:
        """Renew the lock in a forked process, which does not have the thread that held it."""
        self._lock = threading.RLock()

    def _ask(self) -> None:
        """Ask for secrets without holding the lock, because the answer may take seconds."""
        if getattr(self._asking, "is_under_way", False):  # finding secrets shows something itself
            return
        self._asking.is_under_way = True
        try:
            for find_more in list(self._sources):
                find_more()
        finally:
            self._asking.is_under_way = False

    def _prepare(self) -> None:
        if not self._new:
            return
        for secret in self._new:
            forms = list_forms(secret)
            for form in forms.anywhere - self._anywhere:
                self._by_head.setdefault(form[:LONG], []).append(form)
                self._beginnings |= {form[:end] for end in range(1, LONG)}
                self._longest = max(self._longest, len(form))
            for word in forms.words:
                self._word_beginnings |= {word[:end] for end in range(1, len(word) + 1)}
                self._longest = max(self._longest, len(word))
            self._anywhere |= forms.anywhere
            self._words |= forms.words
            self._plain |= {secret.strip()} & forms.anywhere
        self._new = []
        if self._words:
            words = "|".join(map(re.escape, sorted(self._words, key=len, reverse=True)))
            self._word = re.compile(rf"(?<![0-9A-Za-z_])(?:{words})(?![0-9A-Za-z_])")

    def _spans(self, text: str, before: str = "") -> list[tuple[int, int]]:
        """Find secrets, in order: begin and end of each. Overlapping secrets are merged."""
        found = self._find(text)
        if self._word is not None:
            first = len(before)
            for match in self._word.finditer(before + text, first):
                found.append((match.start() - first, match.end() - first))
        return _join(found)

    def _redact_value(self, value: Any) -> Any:
        if isinstance(value, str):
            found = self._find(value) if len(value) <= _LONGEST_VALUE else self._find_plain(value)
            return _replace(value, _join(found))
        if isinstance(value, Mapping):
            pairs = [
                (name, item, self._redact_value(name), self._redact_value(item))
                for name, item in value.items()
            ]
            if all(name is new and item is other for name, item, new, other in pairs):
                return value
            return {new: other for _, _, new, other in pairs}
        if isinstance(value, list | tuple):
            items = [self._redact_value(item) for item in value]
            return value if all(map(operator.is_, items, value)) else items
        return value

    def _end(self, text: str, before: str, spans: list[tuple[int, int]]) -> int:
        """Find the end of the part in which no later text can complete or split a secret."""
        first, last = max(0, len(text) - self._longest), max(0, len(text) - LONG + 1)
        heads = self._by_head
        likely = (at for at in range(first, last) if text[at : at + LONG] in heads)
        tails = range(max(first, last), len(text))
        begins = (at for at in chain(likely, tails) if self._begins(text, at, before))
        end = next(begins, len(text))
        return next((start for start, after in spans if start < end < after), end)

    def _begins(self, text: str, at: int, before: str) -> bool:
        """Return whether a secret may begin at a position and continue after the text."""
        tail = text[at:]
        if len(tail) >= LONG:
            forms = self._by_head.get(tail[:LONG], ())
            return any(form.startswith(tail) and form != tail for form in forms)
        if tail in self._beginnings:
            return True
        is_in_word = _IN_WORD.fullmatch(text[at - 1] if at else before)
        return tail in self._word_beginnings and not is_in_word

    def _find(self, text: str) -> list[tuple[int, int]]:
        """Find the forms that are replaced anywhere; their number does not affect the time."""
        heads = self._by_head
        if not heads:
            return []
        return [
            (at, at + len(form))
            for at in range(len(text) - LONG + 1)
            if text[at : at + LONG] in heads
            for form in heads[text[at : at + LONG]]
            if text.startswith(form, at)
        ]

    def _find_plain(self, text: str) -> list[tuple[int, int]]:
        found = []
        for form in self._plain:
            start = text.find(form)
            while start >= 0:
                found.append((start, start + len(form)))
                start = text.find(form, start + 1)
        return found


def _join(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _replace(text: str, spans: list[tuple[int, int]]) -> str:
    if not spans:
        return text
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], REDACTED]
        done = end
    return "".join([*parts, text[done:]])
