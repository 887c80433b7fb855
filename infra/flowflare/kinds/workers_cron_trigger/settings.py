"""The key of a Worker's cron triggers; `flowflare.crons` has Cloudflare's rules for them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from flowflare.crons import find_problem
from flowflare.model.written import Written, refusal

_EXAMPLE = "For example `*/10 * * * *`: minute, hour, day of the month, month, day of the week."


def _check_cron(value: str) -> str:
    problem = find_problem(value)
    if problem:
        raise refusal(f"is {value!r}, {problem}", _EXAMPLE)
    # Cloudflare returns the expression with single spaces.
    return " ".join(value.split())


def _check_crons(value: list[str]) -> list[str]:
    for position, cron in enumerate(value):
        if cron in value[:position]:
            raise refusal(f"has {cron!r} twice", "Write each expression once.")
    return value


Crons = Annotated[list[Annotated[str, AfterValidator(_check_cron)]], AfterValidator(_check_crons)]


class CronSettings(Written):
    """The cron triggers of a Worker."""

    crons: Crons | None = Field(
        default=None,
        description="Cron triggers, in UTC. An empty list removes all triggers of the Worker, and "
        "so does removing the key after the stack has set triggers. If the stack never set "
        "triggers, the Worker keeps its own.",
    )
