"""Write a report of two commits as lines of text, riskiest section first, with style names."""

from collections.abc import Iterator
from typing import Final

from flowflare.review.facts import describe_removal
from flowflare.review.report import Report
from flowflare.review.sections import Section
from flowflare.review.text import Line, make_readable, summarise_review
from flowflare.review.text import write_lines as lines_of_review
from flowflare.review.words import KINDS, RISKS_IN_SENTENCES

_MOST_NAMES: Final = 8


def write_lines(report: Report) -> Iterator[Line]:
    """Write the whole report, with heading and summary."""
    return make_readable(_write_lines(report))


def _write_lines(report: Report) -> Iterator[Line]:
    yield Line("title", f"{report.project}: {_write_commits(report)}")
    for note in report.notes:
        yield Line("restarts", f"  {note.text}")
    for found in report.policy:
        style = "loses-data" if found.severity == "error" else "restarts"
        where = f" {found.resource}" if found.resource else ""
        stacks = list_names(found.stacks)
        yield Line(style, f"  {found.severity} {found.rule}:{where} {found.message} ({stacks})")
        if found.remedy:
            yield Line("", f"    {found.remedy}")
    for section in report.sections:
        yield Line("", "")
        yield from _write_section(section)
    yield Line("", "")
    yield Line("", summarise_report(report))


def list_names(stacks: tuple[str, ...]) -> str:
    """List stacks by name, and shorten long lists: `a, b and 998 more`."""
    if len(stacks) <= _MOST_NAMES:
        return ", ".join(stacks)
    more = len(stacks) - _MOST_NAMES
    return f"{', '.join(stacks[:_MOST_NAMES])} and {more:,} more"


def summarise_report(report: Report) -> str:
    """Summarise the report in one line."""
    counts = report.counts
    if not report.sections:
        return f"Nothing changes in {_write_stacks(counts.stacks)}."
    calls = "1 API call" if report.api_calls == 1 else f"{report.api_calls:,} API calls"
    parts = [
        f"{_write_stacks(counts.changed)} changed, {len(report.unchanged):,} unchanged",
        f"{calls}, about {write_duration(report.seconds)} for `up`",
        RISKS_IN_SENTENCES[report.risk],
    ]
    if counts.not_recorded:
        parts.insert(1, f"{counts.not_recorded:,} not compared")
    elif not counts.stacks:
        parts.insert(1, "no stack compared")
    if counts.refused:
        parts.append(f"{counts.refused:,} refused")
    return "; ".join(parts)


def write_duration(seconds: int) -> str:
    """Write a duration: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _write_commits(report: Report) -> str:
    head = f"{report.head.name} ({report.head.sha[:12]} {report.head.subject})"
    if report.base is None:
        return f"the stacks' state -> {head if report.head.sha else report.head.name}"
    return f"{report.base.name} ({report.base.sha[:12]} {report.base.subject}) -> {head}"


def _write_stacks(count: int) -> str:
    return "1 stack" if count == 1 else f"{count:,} stacks"


def _write_section(section: Section) -> Iterator[Line]:
    head = f"{_write_stacks(len(section.stacks))}: " if len(section.stacks) > 1 else ""
    stacks = list_names(section.stacks) or "every stack"
    kind = f"{KINDS[section.kind]}: " if KINDS[section.kind] else ""
    yield Line("title", f"{kind}{head}{stacks}")
    for line in section.error.splitlines():
        yield Line("loses-data", f"  ! {line}")
    if section.review is None:
        return
    for doubt in section.doubts:
        yield Line("unknown", f"  ! {doubt}")
    for sentence in describe_removal(section):
        yield Line("restarts", f"  ! {sentence}")
    yield Line(
        section.risk, f"  {summarise_review(section.review, section.risk)}{_note_each(section)}"
    )
    for styled in lines_of_review(section.review, created=True):
        yield Line(styled.style, f"  {styled.text}")
    yield from _write_values(section)


def _write_values(section: Section) -> Iterator[Line]:
    if not section.values:
        return
    yield Line("title", "  What differs between them")
    width = max(len(row.stack) for row in section.values)
    for name in dict.fromkeys(name for row in section.values for name in row.values):
        yield Line("title", f"    {name}")
        for row in section.values:
            yield Line("create", f"      {row.stack:<{width}}  {row.values.get(name, '')}".rstrip())


def _note_each(section: Section) -> str:
    return " (in each)" if len(section.stacks) > 1 else ""
