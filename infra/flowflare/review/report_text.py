"""A report of two commits as lines of text, the riskiest section first; colours come later."""

from collections.abc import Iterator
from typing import Final

from flowflare.review.report import Report
from flowflare.review.sections import Section
from flowflare.review.text import Line, readable, summary
from flowflare.review.text import lines as lines_of_review
from flowflare.review.words import RISKS_SAID

_MOST_NAMES: Final = 8
_KINDS: Final = {
    "changed": "",
    "added": "new: ",
    "removed": "goes: ",
    "head-alone": "as if new: ",
    "not-recorded": "not compared: ",
}


def lines(report: Report) -> Iterator[Line]:
    """The whole report, heading and summary included."""
    return readable(_lines(report))


def _lines(report: Report) -> Iterator[Line]:
    yield Line("title", f"{report.project}: {_commits(report)}")
    for note in report.notes:
        yield Line("restarts", f"  {note.text}")
    for found in report.policy:
        style = "loses-data" if found.severity == "error" else "restarts"
        where = f" {found.resource}" if found.resource else ""
        stacks = names(found.stacks)
        yield Line(style, f"  {found.severity} {found.rule}:{where} {found.message} ({stacks})")
        if found.remedy:
            yield Line("", f"    {found.remedy}")
    for section in report.sections:
        yield Line("", "")
        yield from _section(section)
    yield Line("", "")
    yield Line("", total(report))


def names(stacks: tuple[str, ...]) -> str:
    """Stacks by name, many of them shortened: `a, b and 998 more`."""
    if len(stacks) <= _MOST_NAMES:
        return ", ".join(stacks)
    more = len(stacks) - _MOST_NAMES
    return f"{', '.join(stacks[:_MOST_NAMES])} and {more:,} more"


def total(report: Report) -> str:
    """What it comes to, in one line."""
    counts = report.counts
    if not report.sections:
        return f"Nothing changes in {_stacks(counts.stacks)}."
    calls = "1 API call" if report.api_calls == 1 else f"{report.api_calls:,} API calls"
    parts = [
        f"{_stacks(counts.changed)} changed, {len(report.unchanged):,} unchanged",
        f"{calls}, about {duration(report.seconds)} for `up`",
        RISKS_SAID[report.risk],
    ]
    if counts.not_recorded:
        parts.insert(1, f"{counts.not_recorded:,} not compared")
    elif not counts.stacks:
        parts.insert(1, "no stack compared")
    if counts.refused:
        parts.append(f"{counts.refused:,} refused")
    return "; ".join(parts)


def duration(seconds: int) -> str:
    """Seconds as people say them: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _commits(report: Report) -> str:
    head = f"{report.head.name} ({report.head.sha[:12]} {report.head.subject})"
    if report.base is None:
        return f"the stacks' state -> {head if report.head.sha else report.head.name}"
    return f"{report.base.name} ({report.base.sha[:12]} {report.base.subject}) -> {head}"


def _stacks(count: int) -> str:
    return "1 stack" if count == 1 else f"{count:,} stacks"


def _section(section: Section) -> Iterator[Line]:
    head = f"{_stacks(len(section.stacks))}: " if len(section.stacks) > 1 else ""
    stacks = names(section.stacks) or "every stack"
    yield Line("title", f"{_KINDS[section.kind]}{head}{stacks}")
    for line in section.error.splitlines():
        yield Line("loses-data", f"  ! {line}")
    if section.review is None:
        return
    for doubt in section.doubts:
        yield Line("unknown", f"  ! {doubt}")
    yield Line(section.risk, f"  {summary(section.review, section.risk)}{_each(section)}")
    for one in lines_of_review(section.review, created=True):
        yield Line(one.style, f"  {one.text}")


def _each(section: Section) -> str:
    return " (in each)" if len(section.stacks) > 1 else ""
