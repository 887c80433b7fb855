"""Parse cron expressions by Cloudflare's rules, and say when they are due.

An expression has five fields in UTC: minute, hour, day of the month, month, day of the week. Days
of the week count from 1, Sunday. Fields have lists, ranges and steps, and `L`, `W` and `#` as in
Quartz. If the day of the month and the day of the week are both restricted, either is enough, as in
Vixie's cron.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_PART = re.compile(r"(?P<base>\*|[^/]+)(?:/(?P<step>\d+))?")
_SATURDAY = 7


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

    def read(self, text: str) -> tuple[frozenset[int], tuple[str, ...]]:
        """Return a valid field's values, and its special parts such as `LW`."""
        values: set[int] = set()
        specials = []
        for part in text.upper().split(","):
            base, _, step = part.partition("/")
            if self.special.fullmatch(base):
                specials.append(base)
                continue
            ends = [self._value(end) or 0 for end in base.split("-")] if base != "*" else []
            first = ends[0] if ends else self.lowest
            # `5/10` is every tenth value from 5.
            last = ends[-1] if len(ends) == 2 or (ends and not step) else self.highest
            values.update(range(first, last + 1, int(step or 1)))
        return frozenset(values), tuple(specials)

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


FIELDS = (
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
"""The fields of an expression, in their order."""


def find_problem(cron: str) -> str | None:
    """Return what is wrong with an expression; None if it is valid."""
    fields = cron.split()
    if len(fields) != len(FIELDS):
        return f"which has {len(fields)} fields instead of {len(FIELDS)}"
    for field, text in zip(FIELDS, fields, strict=True):
        if problem := field.find_problem(text):
            return f"in which {problem}"
    return None


def last_due(cron: str, after: datetime, until: datetime) -> datetime | None:
    """Return the last time in (after, until] at which a valid expression is due; None if never.

    Args:
        after: at most a year before `until`; of a longer time, only the last year is searched.
    """
    parsed = _parse(cron)
    for day in _days_back(max(after, until - timedelta(days=366)), until):
        if not parsed.includes_day(day):
            continue
        for hour in sorted(parsed.hours, reverse=True):
            for minute in sorted(parsed.minutes, reverse=True):
                moment = day.replace(hour=hour, minute=minute)
                if after < moment <= until:
                    return moment
    return None


def _days_back(after: datetime, until: datetime) -> Iterator[datetime]:
    day = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day > after - timedelta(days=1):
        yield day
        day -= timedelta(days=1)


@dataclass(frozen=True)
class _Parsed:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    special_days: tuple[str, ...]
    months: frozenset[int]
    weekdays: frozenset[int]
    special_weekdays: tuple[str, ...]
    any_day: bool
    any_weekday: bool

    def includes_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        matches = []
        if not self.any_day:
            matches.append(self._is_day(day))
        if not self.any_weekday:
            matches.append(self._is_weekday(day))
        return any(matches) or not matches

    def _is_day(self, day: datetime) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        special = {_special_day(text, day, last) for text in self.special_days}
        return day.day in self.days or day.day in special

    def _is_weekday(self, day: datetime) -> bool:
        weekday = _weekday(day)
        if weekday in self.weekdays:
            return True
        last = calendar.monthrange(day.year, day.month)[1]
        for text in self.special_weekdays:
            if text == "L":
                if weekday == _SATURDAY:
                    return True
                continue
            name, nth = (text[:-1], "") if text.endswith("L") else text.split("#")
            wanted = _DAYS.index(name) + 1 if name in _DAYS else int(name)
            is_nth = day.day + 7 > last if not nth else (day.day - 1) // 7 + 1 == int(nth)
            if weekday == wanted and is_nth:
                return True
        return False


def _special_day(text: str, day: datetime, last: int) -> int:
    """Return the day of the month that `L`, `LW` or `15W` means in a day's month; 0 if none."""
    if text == "L":
        return last
    number = last if text == "LW" else int(text[:-1])
    if not 1 <= number <= last:
        return 0
    match _weekday(day.replace(day=number)):
        case 1:
            return number + 1 if number < last else number - 2
        case 7:
            return number - 1 if number > 1 else number + 2
    return number


def _weekday(day: datetime) -> int:
    return (day.weekday() + 1) % 7 + 1


@lru_cache(maxsize=1_000)
def _parse(cron: str) -> _Parsed:
    texts = cron.split()
    minutes, hours, days, months, weekdays = (
        field.read(text) for field, text in zip(FIELDS, texts, strict=True)
    )
    return _Parsed(
        minutes=minutes[0],
        hours=hours[0],
        days=days[0],
        special_days=days[1],
        months=months[0],
        weekdays=weekdays[0],
        special_weekdays=weekdays[1],
        any_day=texts[2] == "*",
        any_weekday=texts[4] == "*",
    )
