"""The secrets that this process knows, and the filter that hides them.

While a run is under way there is one filter in the process. Whatever opens, fetches or generates a
secret tells it (`learn`), and whatever is shown of a program passes through it (`hide`). Secrets
that nobody has opened cannot be shown, so nothing is opened for the filter's sake, unless a stack
of the Pulumi CLI says something: its program runs elsewhere.
"""

import functools
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar

from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.redaction.forms import SHORT, Forms, forms_of

P = ParamSpec("P")
R = TypeVar("R")
HIDDEN: Final = "[secret]"
#: Variables that hold secrets of whoever runs a command, whatever the stack is.
VARIABLES: Final = (
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
# What of a binding is secret, where the whole list of bindings is marked as one.
_OF_BINDINGS: Final = frozenset({"text", "keyBase64", "keyJwk", "key_base64", "key_jwk"})


# What stands for a secret that a preview does not open, and is compared with later.
_STAND_IN: Final = re.compile(r"sealed-[0-9a-f]{32}")


class KnownSecrets:
    """Secrets, and the filter that hides them; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._values: set[str] = set()
        self._waiting: list[str] = []
        self._anywhere: list[str] = []
        self._bounded: re.Pattern[str] | None = None
        self._forms: list[Forms] = []
        self._later: list[Callable[[], None]] = []
        self._is_learning = False

    def learn(self, value: Any) -> None:
        """Take note of a secret.

        Args:
            value: a text or a number; of lists and mappings each text in them that is not short.
        """
        texts = [one for one in _texts(value) if one and not _STAND_IN.search(one)]
        with self._lock:
            new = [one for one in texts if one not in self._values]
            self._values.update(new)
            self._waiting += new

    def learn_later(self, find: Callable[[], None]) -> None:
        """Ask for more secrets before the next text is looked at, and before each one after it.

        Args:
            find: learns the secrets that it finds.
        """
        with self._lock:
            if find not in self._later:
                self._later.append(find)

    def hide(self, text: str) -> str:
        """Replace every secret in a text by `[secret]`."""
        if not text:
            return text
        with self._lock:
            self._prepare()
            spans = list(self._spans(text))
        return _replaced(text, spans) if spans else text

    def hide_values(self, value: Any) -> Any:
        """Replace long secrets, as they are, in all texts of a JSON value."""
        with self._lock:
            whole = str(value)
            found = [one for one in self._values if len(one) >= SHORT and _holds(whole, one)]
        return _without(value, sorted(found, key=len, reverse=True)) if found else value

    def withheld(self, text: str, *, newlines: bool) -> int:
        """Count the characters at a text's end with which a secret may begin.

        Args:
            text: the text so far; more will follow.
            newlines: whether only secrets of several lines count.
        """
        with self._lock:
            self._prepare()
            forms = [one for one in self._anywhere if not newlines or "\n" in one]
        return max((_beginning(text, form) for form in forms), default=0)

    def _prepare(self) -> None:
        if not self._is_learning:  # what looks for secrets may have something to say itself
            self._is_learning = True
            try:
                for find in self._later:
                    find()
            finally:
                self._is_learning = False
        if not self._waiting:
            return
        self._forms += map(forms_of, self._waiting)
        self._waiting = []
        self._anywhere = list({form for one in self._forms for form in one.anywhere})
        words = {re.escape(form) for one in self._forms for form in one.words}
        lines = {re.escape(form) for one in self._forms for form in one.lines}
        parts = [f"(?<![A-Za-z0-9_])(?:{_either(words)})(?![A-Za-z0-9_])"] if words else []
        parts += [f"(?m:^[ \\t]*(?:{_either(lines)})[ \\t\\r]*$)"] if lines else []
        self._bounded = re.compile("|".join(parts)) if parts else None

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for form in self._anywhere:
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + 1)
        if self._bounded is not None:
            yield from (match.span() for match in self._bounded.finditer(text))


_lock: Final = threading.Lock()
_current: KnownSecrets | None = None
_depth = 0


def current() -> KnownSecrets | None:
    """The process's filter; None while nothing is under way."""
    return _current


def learn(value: Any) -> None:
    """Tell the process's filter a secret, if there is a filter."""
    if _current is not None:
        _current.learn(value)


def hide(text: str) -> str:
    """Pass a text through the process's filter, if there is one."""
    return text if _current is None else _current.hide(text)


@contextmanager
def hiding(environ: Mapping[str, str]) -> Iterator[KnownSecrets]:
    """Hide secrets in the block, and in the errors of ours that leave it.

    Blocks inside of each other, and in other threads, share one filter.

    Args:
        environ: the environment, some of whose variables are secrets.
    """
    global _current, _depth  # noqa: PLW0603 -- there is one standard output, and so one filter
    with _lock:
        _current, _depth = _current or KnownSecrets(), _depth + 1
        secrets = _current
    for name in VARIABLES:
        secrets.learn(environ.get(name))
    try:
        yield secrets
    except FlowflareError as error:
        _hide_in(error, secrets)
        raise
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _current = None


def hides_secrets(method: Callable[P, R]) -> Callable[P, R]:
    """Make a method hide secrets while it runs, and in the errors of ours that it raises.

    Args:
        method: of an object that keeps its environment as `_environ`.
    """

    @functools.wraps(method)
    def hidden(*args: P.args, **kwargs: P.kwargs) -> R:
        with hiding(getattr(args[0], "_environ", os.environ)):
            return method(*args, **kwargs)

    return hidden


def _hide_in(error: FlowflareError, secrets: KnownSecrets) -> None:
    error.message = secrets.hide(error.message)
    error.remedy = secrets.hide(error.remedy) if error.remedy else error.remedy
    error.args = (error.message,)
    if isinstance(error, ConfigError):
        error.problems = tuple(
            Problem(
                one.place,
                secrets.hide(one.message),
                secrets.hide(one.remedy) if one.remedy else one.remedy,
            )
            for one in error.problems
        )


def _texts(value: Any) -> Iterator[str]:
    """The texts of a secret value; in a list or a mapping a short one says nothing."""
    if isinstance(value, Mapping | list | tuple):
        yield from (text for text in _inner_texts(value) if len(text) >= SHORT)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
        if isinstance(value, float) and value.is_integer():
            yield str(int(value))


def _inner_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        is_binding = {"type", "name"} <= value.keys()
        for name, item in value.items():
            if not is_binding or name in _OF_BINDINGS:
                yield from _inner_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inner_texts(item)


def _either(patterns: set[str]) -> str:
    return "|".join(sorted(patterns, key=len, reverse=True))


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with one mark for each stretch of secrets, which may overlap."""
    parts, done, until = [], 0, 0
    for start, end in sorted(spans):
        if start >= until:
            parts += [text[done:start], HIDDEN]
        until = max(until, end)
        done = until
    return "".join([*parts, text[done:]])


def _holds(whole: str, secret: str) -> bool:
    return secret in whole or repr(secret)[1:-1] in whole


def _without(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, Mapping):
        return {name: _without(item, secrets) for name, item in value.items()}
    return [_without(item, secrets) for item in value] if isinstance(value, list) else value


def _beginning(text: str, form: str) -> int:
    """How many characters at the text's end the form begins with; all of it does not count."""
    start = max(0, len(text) - len(form) + 1)
    while (start := text.find(form[0], start)) >= 0:
        if form.startswith(text[start:]):
            return len(text) - start
        start += 1
    return 0
