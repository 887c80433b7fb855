"""Fault rules: which call meets which trouble, so that clients can be tested against it.

A rule matches calls by method, path, account and count, and then answers a status, cuts the
connection, waits, holds the call until the rule is released, or does the call and loses the answer:
the connection is cut, or nothing is said until the client gives up.
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
"""Characters of a path that rules look at; none of Cloudflare's is as long."""

_HeaderName = Annotated[str, StringConstraints(pattern=r"^[\w!#$%&'*+.^`|~-]+$", max_length=100)]
_HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=1_000)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(_Action):
    """Answers a status without doing anything."""

    kind: Literal["answer"]
    status: int = Field(ge=200, le=599)
    code: int = 10013
    message: str = "fault injected"
    headers: dict[_HeaderName, _HeaderValue] = {}
    retry: bool | None = None
    """Sent as `x-should-retry`, which the SDKs obey; None sends nothing."""


class Cut(_Action):
    """Closes the connection without doing anything."""

    kind: Literal["cut"]


class Delay(_Action):
    """Does the call later."""

    kind: Literal["delay"]
    seconds: float = Field(ge=0, le=600)


class Hold(_Action):
    """Does the call once the rule is released or deleted."""

    kind: Literal["hold"]


class Lose(_Action):
    """Does the call and closes the connection instead of answering."""

    kind: Literal["lose"]


class Silence(_Action):
    """Says nothing until the client gives up; the call is never done, or was done at once."""

    kind: Literal["silence"]
    done: bool = False


Action = Annotated[Answer | Cut | Delay | Hold | Lose | Silence, Field(discriminator="kind")]


class Rule(BaseModel):
    """A fault rule as it is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    method: str | None = None
    path: str | None = Field(default=None, max_length=500)
    """A glob over the path below `/client/v4`, such as `/accounts/*/d1/database`."""
    pattern: str | None = Field(default=None, max_length=200)
    """A regular expression, searched in the path below `/client/v4`. It is the regex crate's of
    Rust, which takes time in proportion to the path: no look-around, no back-references."""
    account: str | None = None
    nth: int | None = Field(default=None, ge=1)
    """Only from the nth matching call on; the first is 1."""
    times: int | None = Field(default=None, ge=1)
    """For so many calls; without it one call when `nth` is given, else every call."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            _compile(pattern)
        return pattern

    @cached_property
    def search(self) -> TypeAdapter[str] | None:
        """The compiled pattern."""
        return None if self.pattern is None else _compile(self.pattern)

    def matches(self, method: str, path: str, account: str | None) -> bool:
        """Whether a call is one of this rule's."""
        path = path[:_MOST_SEARCHED]
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatch.fnmatchcase(path, self.path))
            and (self.search is None or _finds(self.search, path))
            and (self.account is None or self.account == account)
        )


def _compile(pattern: str) -> TypeAdapter[str]:
    """Compile a pattern with pydantic's engine: it never backtracks, and bounds what it compiles.

    Raises:
        ValueError: the engine does not take the pattern.
    """
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError as error:
        # The engine's last line says what is wrong; those before it draw where.
        raise ValueError(f"not a pattern: {str(error).splitlines()[-1]}") from None


def _finds(search: TypeAdapter[str], text: str) -> bool:
    try:
        search.validate_python(text)
    except ValidationError:
        return False
    return True


@dataclass
class Standing:
    """A rule that stands, with what it has seen."""

    id: int
    rule: Rule
    seen: int = 0
    fired: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def fires(self) -> bool:
        """Counts a matching call and says whether the rule applies to it."""
        self.seen += 1
        first = self.rule.nth or 1
        times = self.rule.times or (1 if self.rule.nth else None)
        if self.seen < first or (times is not None and self.seen >= first + times):
            return False
        self.fired += 1
        return True

    def view(self) -> dict[str, object]:
        """The rule as the control surface shows it."""
        return {
            "id": self.id,
            "seen": self.seen,
            "fired": self.fired,
            "released": self.released.is_set(),
            **self.rule.model_dump(),
        }


class Faults:
    """The standing rules, in the order in which they were made; the first that fires applies."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._standing: dict[int, Standing] = {}

    def add(self, rule: Rule) -> Standing:
        """Lets a rule stand."""
        standing = Standing(next(self._numbers), rule)
        self._standing[standing.id] = standing
        return standing

    def all(self) -> list[Standing]:
        """The standing rules."""
        return list(self._standing.values())

    def release(self, number: int) -> bool:
        """Lets held calls go on; False where no such rule stands."""
        standing = self._standing.get(number)
        if standing is not None:
            standing.released.set()
        return standing is not None

    def remove(self, number: int | None = None) -> bool:
        """Takes one rule away, or all; held calls go on. False where no such rule stands."""
        gone = [number] if number is not None else list(self._standing)
        found = [self._standing.pop(each) for each in gone if each in self._standing]
        for standing in found:
            standing.released.set()
        return number is None or bool(found)

    def for_call(self, method: str, path: str, account: str | None) -> Standing | None:
        """The rule that applies to a call; every matching rule counts it."""
        firing = [
            each
            for each in self._standing.values()
            if each.rule.matches(method, path, account) and each.fires()
        ]
        return firing[0] if firing else None
