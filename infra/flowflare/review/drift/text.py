"""What has drifted as lines of text: by severity, the worst first, with what to do next."""

from collections.abc import Iterator
from typing import Final

from flowflare.review.drift.model import Document, Drifted, StackDrift
from flowflare.review.text import Line
from flowflare.review.words import short_type

MARKS: Final = {"changed": "~", "missing": "-", "extra": "+"}
_TITLES: Final = (("error", "Broken or gone"), ("warning", "Different"))


def lines(document: Document) -> Iterator[Line]:
    """The whole document, stack by stack."""
    for one in document.stacks:
        yield Line("title", f"{document.project}/{one.stack}")
        yield from lines_of(one)
        yield Line("", "")
    yield Line("", summary(document))


def summary(document: Document) -> str:
    """What it comes to in one line."""
    drifted = sum(bool(one.findings) for one in document.stacks)
    failed = sum(bool(one.error) for one in document.stacks)
    found = sum(len(one.findings) for one in document.stacks)
    total = len(document.stacks)
    stacks = "1 stack" if total == 1 else f"{total:,} stacks"
    calls = "1 API call" if document.api_calls == 1 else f"{document.api_calls:,} API calls"
    if not found and not failed:
        return f"Nothing has drifted in {stacks} ({calls})."
    things = "1 thing has" if found == 1 else f"{found:,} things have"
    text = f"{things} drifted in {drifted:,} of {stacks} ({calls})."
    return f"{text} {failed:,} could not be looked at." if failed else text


def lines_of(one: StackDrift) -> Iterator[Line]:
    """What there is to say of one stack, without its name."""
    for severity, title in _TITLES:
        found = [each for each in one.findings if each.severity == severity]
        if found:
            yield Line("title", f"  {title}")
        yield from (line for each in found for line in _finding(each))
    # Each remedy once: most of them are the same.
    remedies = dict.fromkeys((each.action, each.remedy) for each in one.findings)
    if remedies:
        yield Line("title", "  Next")
    for action, remedy in remedies:
        yield Line("", f"    {action}: {remedy}")
    if one.error:
        yield Line("error", f"  ! it could not be looked at: {one.error}")
    elif not one.findings:
        yield Line("", f"  nothing: {one.resources} resources are as state has them")
    yield from (Line("", f"  not seen: {each}") for each in one.unseen)


def _finding(one: Drifted) -> Iterator[Line]:
    by = f" (last deployed from {one.by})" if one.by else ""
    name = f"{one.resource} {short_type(one.type)}"
    yield Line(one.kind, f"    {MARKS[one.kind]} {one.kind:<8}{name}")
    yield Line(one.kind, f"        {one.message}{by}  [{one.action}]")
