"""What has drifted as lines of text: by severity, the worst first, with what to do next."""

from collections.abc import Iterator
from typing import Final

from flowflare.kinds.drifted import Drifted, Unknown
from flowflare.review.drift.model import Document, StackDrift
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
    compared = len(document.stacks) - failed
    stacks = "1 stack" if compared == 1 else f"{compared:,} stacks"
    calls = "1 API call" if document.api_calls == 1 else f"{document.api_calls:,} API calls"
    things = "1 thing has" if found == 1 else f"{found:,} things have"
    text = f"{things} drifted in {drifted:,} of {stacks} ({calls})."
    if not found:
        unknown = any(one.result == "unknown" for one in document.stacks)
        nothing = "No drift was found" if unknown else "Nothing has drifted"
        text = (
            f"{nothing} in {stacks} ({calls})." if compared else f"No stack was compared ({calls})."
        )
    if failed:
        text += f" {failed:,} could not be looked at."
    return text + _unknown_summary(document)


def _unknown_summary(document: Document) -> str:
    """What of the stacks that were looked at is unknown, a sentence; empty if nothing is."""
    unknown = [
        sum(not each.allowed for each in one.unknown) for one in document.stacks if not one.error
    ]
    count, stacks = sum(unknown), sum(map(bool, unknown))
    if not count:
        return ""
    things = "1 thing" if count == 1 else f"{count:,} things"
    where = "1 stack" if stacks == 1 else f"{stacks:,} stacks"
    return f" {things} in {where} could not be compared: the result is unknown."


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
    elif one.result == "same":
        yield Line("", f"  nothing: {one.resources} resources are as state has them")
    yield from map(_unknown, one.unknown)
    yield from (Line("", f"  not seen: {each}") for each in one.unseen)


def _unknown(one: Unknown) -> Line:
    name = f"{one.resource} {short_type(one.type)}"
    if one.allowed:
        return Line("", f"  ? allowed  {name}: {one.message} (--allow-unknown: {one.allowed})")
    return Line("error", f"  ? unknown  {name}: {one.message}")


def _finding(one: Drifted) -> Iterator[Line]:
    by = f" (last deployed from {one.by})" if one.by else ""
    name = f"{one.resource} {short_type(one.type)}"
    yield Line(one.kind, f"    {MARKS[one.kind]} {one.kind:<8}{name}")
    yield Line(one.kind, f"        {one.message}{by}  [{one.action}]")
