"""Define what a policy is: its name, its parameters, and a check that yields violations."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import Field

from flowflare.model.written import Written
from flowflare.policies.view import Stack, Violation

PRODUCTION = ("prod", "production")


class Policy(Written):
    """The parameters of every policy."""

    #: Its name in the configuration. The first line of the docstring says what it requires.
    name: ClassVar[str] = ""
    severity: Literal["error", "warning"] = Field(
        default="error", description="An `error` stops `up` and fails the check of a pull request."
    )
    environments: list[str] | None = Field(
        default=None,
        description="The environments that it applies to, `*` matches any characters; "
        "by default all.",
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack.

        Args:
            stack: the stack as the program declares it.
            today: the date from which ages are counted.
        """
        raise NotImplementedError


class ProductionPolicy(Policy):
    """A policy that applies to production unless other environments are named."""

    environments: list[str] | None = Field(
        default=list(PRODUCTION),
        description="The environments that it applies to, `*` matches any characters.",
    )


def describe(policy: type[Policy]) -> str:
    """Return what a policy requires: its docstring as one line."""
    return " ".join((policy.__doc__ or "").split())


def expand_boolean(value: Any) -> Any:
    """Turn `true` into a policy with its defaults, and `false` into no policy."""
    if isinstance(value, bool):
        return {} if value else None
    return value
