"""Filter the output of this process's current run.

A process has one standard output, so it has one filter at a time, from the start of a command, of a
fleet's task or of a library call to its end. Code that decrypts or receives a secret reports it
(`learn`), and everything that is shown of a program passes through `redact`. A secret that was
never decrypted cannot be shown by a program in this process.
"""

import functools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar

from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.redaction.redactor import Redactor

#: Variables with secrets of the user who runs a command, whatever the stack is.
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

P = ParamSpec("P")
R = TypeVar("R")

_lock: Final = threading.Lock()
_current: Redactor | None = None
_depth = 0


def _renew_lock() -> None:
    if _current is not None:
        _current.renew_lock()


os.register_at_fork(after_in_child=_renew_lock)


def get_current() -> Redactor | None:
    """Return the filter of the current run; None without a run."""
    return _current


def learn(value: Any) -> None:
    """Report a secret to the filter of the current run, as `Redactor.learn` describes it."""
    redactor = _current
    if redactor is not None:
        redactor.learn(value)


def redact(text: str) -> str:
    """Pass a string through the filter of the current run."""
    redactor = _current
    return redactor.redact(text) if redactor is not None and text else text


def redact_values(value: Any) -> Any:
    """Pass a JSON value through the filter of the current run."""
    redactor = _current
    return value if redactor is None else redactor.redact_values(value)


@contextmanager
def open_redactor(environ: Mapping[str, str]) -> Iterator[Redactor]:
    """Open a filter for the block, and replace secrets in our errors that leave the block.

    A block inside another block, or in another thread at the same time, shares its filter.

    Args:
        environ: the environment; its `SECRET_VARIABLES` are secrets.
    """
    global _current, _depth  # noqa: PLW0603 -- a process has one standard output
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


def redact_method(method: Callable[P, R]) -> Callable[P, R]:
    """Wrap a method in a `open_redactor` block with its object's `_environ`."""

    @functools.wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with open_redactor(args[0]._environ):  # type: ignore[attr-defined]  # noqa: SLF001
            return method(*args, **kwargs)

    return wrapper


def _redact_error(error: FlowflareError, redactor: Redactor) -> None:
    if isinstance(error, ConfigError):
        error.problems = tuple(
            Problem(
                problem.place,
                redactor.redact(problem.message),
                redactor.redact(problem.remedy or "") or None,
            )
            for problem in error.problems
        )
    error.message = redactor.redact(error.message)
    error.remedy = redactor.redact(error.remedy or "") or None
    error.args = (error.message,)
