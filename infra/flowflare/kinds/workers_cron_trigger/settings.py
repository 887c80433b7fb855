"""The key of a Worker's cron triggers, and Cloudflare's rules for their expressions.

An expression has five fields in UTC: minute, hour, day of the month, month, day of the week. Days
of the week count from 1, Sunday. Fields have lists, ranges and steps, and `L`, `W` and `#` as in
Quartz.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from flowflare.model.written import Written, refusal

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_PART = re.compile(r"(?P<base>\*|[^/]+)(?:/(?P<step>\d+))?")
_EXAMPLE = "For example `*/10 * * * *`: minute, hour, day of the month, month, day of the week."


@dataclass(frozen=True)
class _Field:
    """One field: its limits, and the words for its values from the lowest."""

    name: str
    lowest: int
    highest: int
    words: tuple[str, ...] = ()
    special: re.Pattern[str] = re.compile(r"(?!)")

    def find_problem(self, text: str) -> str | None:
        """Return what is wrong with the field; None if it is valid."""
        for part in text.split(","):
            match = _PART.fullmatch(part)
            step = int(match["step"]) if match and match["step"] else 1
            if not match or not self._accepts(match["base"]) or not 1 <= step <= self.highest:
                return f"{part!r} is not a valid {self.name}"
        return None

    def _accepts(self, base: str) -> bool:
        if base == "*" or self.special.fullmatch(base.upper()):
            return True
        values = [self._value(end) for end in base.split("-")]
        known = [value for value in values if value is not None]
        return len(known) == len(values) <= 2 and known == sorted(known)

    def _value(self, text: str) -> int | None:
        if text.upper() in self.words:
            return self.words.index(text.upper()) + self.lowest
        is_number = text.isascii() and text.isdecimal()
        return int(text) if is_number and self.lowest <= int(text) <= self.highest else None


_FIELDS = (
    _Field("minute (0 to 59)", 0, 59),
    _Field("hour (0 to 23)", 0, 23),
    _Field("day of the month (1 to 31)", 1, 31, special=re.compile(r"L|LW|(3[01]|[12]?\d)W")),
    _Field("month (1 to 12 or JAN to DEC)", 1, 12, _MONTHS),
    _Field(
        "day of the week (1, Sunday, to 7, or SUN to SAT)",
        1,
        7,
        _DAYS,
        re.compile(rf"L|([1-7]|{'|'.join(_DAYS)})(L|#[1-5])"),
    ),
)


def _check_cron(value: str) -> str:
    fields = value.split()
    if len(fields) != len(_FIELDS):
        raise refusal(f"is {value!r}, which has {len(fields)} fields instead of 5", _EXAMPLE)
    for field, text in zip(_FIELDS, fields, strict=True):
        problem = field.find_problem(text)
        if problem:
            raise refusal(f"is {value!r}, in which {problem}", _EXAMPLE)
    # Cloudflare returns the expression with single spaces.
    return " ".join(fields)


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
