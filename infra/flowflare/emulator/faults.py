"""Hold fault rules, which make calls fail, to test how clients handle failures.

A rule matches calls by method, path, account and count. It then answers with a status, cuts the
connection, delays the call, or holds it until the rule is released. It can also process the call
and lose the answer, by cutting the connection or by staying silent until the client gives up.
"""

import asyncio
import fnmatch
import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from pydantic_core import SchemaError

_MOST_SEARCHED = 2_000
"""Characters of a path that rules search. No path of Cloudflare's API is that long."""

_HeaderName = Annotated[str, StringConstraints(pattern=r"^[\w!#$%&'*+.^`|~-]+$", max_length=100)]
_HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=1_000)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(_Action):
    """Answer with a status without processing the call."""

    kind: Literal["answer"]
    status: int = Field(ge=200, le=599)
    code: int = 10013
    message: str = "fault injected"
    headers: dict[_HeaderName, _HeaderValue] = {}
    retry: bool | None = None
    """The value of `x-should-retry`, which the SDKs obey. With None the header is not sent."""


class Cut(_Action):
    """Close the connection without processing the call."""

    kind: Literal["cut"]


class Delay(_Action):
    """Process the call after a delay."""

    kind: Literal["delay"]
    seconds: float = Field(ge=0, le=600)


class Hold(_Action):
    """Process the call when the rule is released or deleted."""

    kind: Literal["hold"]


class Lose(_Action):
    """Process the call and close the connection instead of answering."""

    kind: Literal["lose"]


class Silence(_Action):
    """Stay silent until the client gives up.

    `done` says whether the call is processed first.
    """

    kind: Literal["silence"]
    done: bool = False


Action = Annotated[Answer | Cut | Delay | Hold | Lose | Silence, Field(discriminator="kind")]


class Rule(BaseModel):
    """Describe a fault rule as a test requests it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    method: str | None = None
    path: str | None = Field(default=None, max_length=500)
    """A glob for the path below `/client/v4`, such as `/accounts/*/d1/database`."""
    pattern: str | None = Field(default=None, max_length=200)
    """A regular expression that matches any part of the path below `/client/v4`. Rust's regex
    crate runs it in time proportional to the path: no look-around, no back-references."""
    account: str | None = None
    nth: int | None = Field(default=None, ge=1)
    """The first matching call that the rule applies to, counted from 1."""
    times: int | None = Field(default=None, ge=1)
    """How many calls the rule applies to. Without it: one call if `nth` is set, else all."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            _compile(pattern)
        return pattern

    @cached_property
    def search(self) -> TypeAdapter[str] | None:
        """Return the compiled pattern."""
        return None if self.pattern is None else _compile(self.pattern)

    def matches(self, method: str, path: str, account: str | None) -> bool:
        """Return whether a call matches this rule."""
        path = path[:_MOST_SEARCHED]
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatch.fnmatchcase(path, self.path))
            and (self.search is None or _finds(self.search, path))
            and (self.account is None or self.account == account)
        )


def _compile(pattern: str) -> TypeAdapter[str]:
    """Compile a pattern with pydantic's engine, which never backtracks and bounds its input.

    Raises:
        ValueError: the engine does not accept the pattern.
    """
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError as error:
        # The engine's last line says what is wrong; the lines before it draw the position.
        raise ValueError(f"not a valid pattern: {str(error).splitlines()[-1]}") from None


def _finds(search: TypeAdapter[str], text: str) -> bool:
    try:
        search.validate_python(text)
    except ValidationError:
        return False
    return True


@dataclass
class ActiveRule:
    """Hold an active rule and its counts."""

    id: int
    rule: Rule
    seen: int = 0
    fired: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def fires(self) -> bool:
        """Count a matching call and return whether the rule applies to it."""
        self.seen += 1
        first = self.rule.nth or 1
        times = self.rule.times or (1 if self.rule.nth else None)
        if self.seen < first or (times is not None and self.seen >= first + times):
            return False
        self.fired += 1
        return True

    def view(self) -> dict[str, object]:
        """Return the rule as the control API shows it."""
        return {
            "id": self.id,
            "seen": self.seen,
            "fired": self.fired,
            "released": self.released.is_set(),
            **self.rule.model_dump(),
        }


class Faults:
    """Hold the active rules in their order of creation; the first that fires applies."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._active: dict[int, ActiveRule] = {}

    def add(self, rule: Rule) -> ActiveRule:
        """Activate a rule."""
        active = ActiveRule(next(self._numbers), rule)
        self._active[active.id] = active
        return active

    def all(self) -> list[ActiveRule]:
        """List the active rules."""
        return list(self._active.values())

    def release(self, number: int) -> bool:
        """Release the calls that a rule holds. Returns False for an unknown rule."""
        active = self._active.get(number)
        if active is not None:
            active.released.set()
        return active is not None

    def remove(self, number: int | None = None) -> bool:
        """Remove one rule or all, and release held calls. Returns False for an unknown rule."""
        numbers = [number] if number is not None else list(self._active)
        removed = [self._active.pop(each) for each in numbers if each in self._active]
        for active in removed:
            active.released.set()
        return number is None or bool(removed)

    def for_call(self, method: str, path: str, account: str | None) -> ActiveRule | None:
        """Return the rule that applies to a call. Every matching rule counts the call."""
        firing = [
            active
            for active in self._active.values()
            if active.rule.matches(method, path, account) and active.fires()
        ]
        return firing[0] if firing else None
