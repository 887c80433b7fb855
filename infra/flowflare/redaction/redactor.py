"""The secrets that a run knows, and the filter that replaces them by `[secret]`.

A process has one standard output, so it has one filter at a time, from the beginning of a command,
of a fleet's task or of a library call to its end. Code that opens or receives a secret reports it
(`learn`), and everything that is shown of a program passes through `redact`. A secret that nothing
has opened cannot be shown by a program in this process. Programs of the Pulumi CLI run in another
process, so for those the filter asks for secrets before it looks at a text (`learn_later`).
"""

import functools
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar

from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.redaction.forms import LONG, forms_of

#: What stands for a secret.
REDACTED: Final = "[secret]"
#: Variables that hold secrets of the person who runs a command, whatever the stack is.
SECRET_VARIABLES: Final = (
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_KEY",
    "CLOUDFLARE_API_USER_SERVICE_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
)
# The secret fields of a binding, where a whole list of bindings is marked as a secret.
_SECRET_OF_BINDING: Final = frozenset({"text", "keyBase64", "keyJwk", "key_base64", "key_jwk"})
# A stand-in of a recording (`engine/recording.py`): it hides a secret already, and two recordings
# are compared by it.
_STAND_IN: Final = re.compile(r"sealed-[0-9a-f]{32}")

P = ParamSpec("P")
R = TypeVar("R")


class Redactor:
    """Secrets, and the filter that replaces them. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._secrets: set[str] = set()
        self._new: list[str] = []
        self._anywhere: set[str] = set()
        self._words: set[str] = set()
        self._word: re.Pattern[str] | None = None
        self._by_first: dict[str, list[str]] = {}
        self._longest = 0
        self._find_more: Callable[[], None] | None = None

    def learn(self, value: Any) -> None:
        """Note a secret.

        Args:
            value: a text or a number. Of a list, a mapping or their JSON, each text of at least
                `LONG` characters is one; other values are ignored.
        """
        with self._lock:
            for text in _texts(value):
                if text not in self._secrets and not _STAND_IN.search(text):
                    self._secrets.add(text)
                    self._new.append(text)

    def learn_later(self, find_more: Callable[[], None]) -> None:
        """Ask for more secrets each time before a text is filtered.

        Args:
            find_more: learns what is new since its last call; replaces an earlier function.
        """
        with self._lock:
            self._find_more = find_more

    def redact(self, text: str) -> str:
        """Replace every secret in a text."""
        return self.redact_part(text, is_last=True)[0]

    def redact_part(self, text: str, *, is_last: bool) -> tuple[str, str]:
        """Replace every secret in a text whose end may be written later.

        Args:
            text: what was not returned as filtered so far.
            is_last: whether nothing follows.

        Returns:
            What is filtered, and the rest: a secret may begin in it, so it needs the text after it.
        """
        with self._lock:
            self._prepare()
            spans = self._spans(text)
            end = len(text) if is_last else self._end(text, spans)
        return _replace(text[:end], [span for span in spans if span[1] <= end]), text[end:]

    def redact_values(self, value: Any) -> Any:
        """Replace long secrets, as they are, in the texts of a JSON value.

        Values can be the code of a Worker, so they are not searched for encoded secrets.

        Returns:
            The same object if it has no secret.
        """
        with self._lock:
            whole = str(value)
            secrets = [one for one in self._secrets if len(one) >= LONG]
        found = [one for one in secrets if one in whole or repr(one)[1:-1] in whole]
        return _replace_in(value, sorted(found, key=len, reverse=True)) if found else value

    def _prepare(self) -> None:
        if self._find_more is not None:
            find_more, self._find_more = self._find_more, None  # it may have something to show
            try:
                find_more()
            finally:
                self._find_more = find_more
        if not self._new:
            return
        for secret in self._new:
            forms = forms_of(secret)
            for form in (forms.anywhere - self._anywhere) | (forms.words - self._words):
                self._by_first.setdefault(form[0], []).append(form)
                self._longest = max(self._longest, len(form))
            self._anywhere |= forms.anywhere
            self._words |= forms.words
        self._new = []
        if self._words:
            words = "|".join(map(re.escape, sorted(self._words, key=len, reverse=True)))
            self._word = re.compile(rf"(?<![0-9A-Za-z_])(?:{words})(?![0-9A-Za-z_])")

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where secrets are, in order: begin and end of each; those that overlap are one."""
        found = [match.span() for match in self._word.finditer(text)] if self._word else []
        for form in self._anywhere:
            start = text.find(form)
            while start >= 0:
                found.append((start, start + len(form)))
                start = text.find(form, start + 1)
        spans: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if spans and start < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans

    def _end(self, text: str, spans: list[tuple[int, int]]) -> int:
        """Where the part ends that no later text can make a secret, or cut one in two."""
        end = next(
            (
                at
                for at in range(max(0, len(text) - self._longest), len(text))
                if self._begins(text, at)
            ),
            len(text),
        )
        return next((start for start, after in spans if start < end < after), end)

    def _begins(self, text: str, at: int) -> bool:
        """Whether a secret may begin there and go on after the text."""
        forms = self._by_first.get(text[at])
        if not forms:
            return False
        tail = text[at:]
        return any(
            form.startswith(tail) and (form != tail or form in self._words) for form in forms
        )


_lock: Final = threading.Lock()
_current: Redactor | None = None
_depth = 0


def _renew_lock() -> None:
    """Free the filter in a forked process: the thread that had it locked is not there."""
    if _current is not None:
        _current._lock = threading.RLock()  # noqa: SLF001


os.register_at_fork(after_in_child=_renew_lock)


def current() -> Redactor | None:
    """Return the filter of the run under way; None if there is no run."""
    return _current


def learn(value: Any) -> None:
    """Report a secret to the filter of the run under way, as `Redactor.learn` describes it."""
    if _current is not None:
        _current.learn(value)


def redact(text: str) -> str:
    """Pass a text through the filter of the run under way."""
    return _current.redact(text) if _current is not None and text else text


def redact_values(value: Any) -> Any:
    """Pass a JSON value through the filter of the run under way."""
    return value if _current is None else _current.redact_values(value)


@contextmanager
def redacting(environ: Mapping[str, str]) -> Iterator[Redactor]:
    """Have a filter inside the block, and pass the errors of ours that leave it through it.

    A block inside another one, or beside it in another thread, shares its filter.

    Args:
        environ: the environment; `SECRET_VARIABLES` of it are secrets.
    """
    global _current, _depth  # noqa: PLW0603 -- there is one standard output
    with _lock:
        redactor = _current = _current or Redactor()
        _depth += 1
    for name in SECRET_VARIABLES:
        redactor.learn(environ.get(name))
    try:
        yield redactor
    except FlowflareError as error:
        _redact_error(error, redactor)
        raise
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _current = None


def redacts(method: Callable[P, R]) -> Callable[P, R]:
    """Make a method a block of `redacting`, with the `_environ` that its object has."""

    @functools.wraps(method)
    def redacted(*args: P.args, **kwargs: P.kwargs) -> R:
        with redacting(args[0]._environ):  # type: ignore[attr-defined]  # noqa: SLF001
            return method(*args, **kwargs)

    return redacted


def _redact_error(error: FlowflareError, redactor: Redactor) -> None:
    if isinstance(error, ConfigError):
        error.problems = tuple(
            Problem(
                one.place, redactor.redact(one.message), redactor.redact(one.remedy or "") or None
            )
            for one in error.problems
        )
    error.message = redactor.redact(error.message)
    error.remedy = redactor.redact(error.remedy or "") or None
    error.args = (error.message,)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            try:
                inner = parse_json(value)
            except JsonError:
                return
            yield from _inner_texts(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(int(value)) if value == value // 1 else str(value)
    else:
        yield from _inner_texts(value)


def _inner_texts(value: Any) -> Iterator[str]:
    """The texts of a list or a mapping that are long enough to be secrets by themselves."""
    if isinstance(value, str):
        if len(value) >= LONG:
            yield value
    elif isinstance(value, Mapping):
        is_binding = {"type", "name"} <= value.keys()
        for name, item in value.items():
            if not is_binding or name in _SECRET_OF_BINDING:
                yield from _inner_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inner_texts(item)


def _replace(text: str, spans: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], REDACTED]
        done = end
    return "".join([*parts, text[done:]])


def _replace_in(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, REDACTED)
        return value
    if isinstance(value, Mapping):
        return {name: _replace_in(item, secrets) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_in(item, secrets) for item in value]
    return value
