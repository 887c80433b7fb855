"""Write drift as lines of text: by severity, worst first, with the next steps."""

from collections.abc import Iterator
from typing import Final

from flowflare.kinds.drifted import Drifted, Unknown
from flowflare.review.drift.model import DriftDocument, StackDrift
from flowflare.review.text import Line
from flowflare.review.words import shorten_type

MARKS: Final = {"changed": "~", "missing": "-", "extra": "+"}
_TITLES: Final = (("error", "Broken or missing"), ("warning", "Different"))


def write_lines(document: DriftDocument) -> Iterator[Line]:
    """Write the whole document, stack by stack."""
    for stack in document.stacks:
        yield Line("title", f"{document.project}/{stack.stack}")
        yield from write_stack(stack)
        yield Line("", "")
    yield Line("", summarise_drift(document))


def summarise_drift(document: DriftDocument) -> str:
    """Summarise the document in one line."""
    drifted = sum(bool(stack.findings) for stack in document.stacks)
    failed = sum(bool(stack.error) for stack in document.stacks)
    found = sum(len(stack.findings) for stack in document.stacks)
    compared = len(document.stacks) - failed
    stacks = "1 stack" if compared == 1 else f"{compared:,} stacks"
    calls = "1 API call" if document.api_calls == 1 else f"{document.api_calls:,} API calls"
    things = "1 difference was" if found == 1 else f"{found:,} differences were"
    text = f"{things} found in {drifted:,} of {stacks} ({calls})."
    if not found:
        unknown = any(stack.result == "unknown" for stack in document.stacks)
        nothing = "No drift was found" if unknown else "Nothing has drifted"
        text = (
            f"{nothing} in {stacks} ({calls})." if compared else f"No stack was compared ({calls})."
        )
    if failed:
        text += f" {failed:,} could not be compared."
    return text + _summarise_unknown(document)


def _summarise_unknown(document: DriftDocument) -> str:
    """Summarise what is unknown in stacks that were compared; empty if nothing is unknown."""
    unknown = [
        sum(not item.allowed for item in stack.unknown)
        for stack in document.stacks
        if not stack.error
    ]
    count, stacks = sum(unknown), sum(map(bool, unknown))
    if not count:
        return ""
    things = "1 resource" if count == 1 else f"{count:,} resources"
    where = "1 stack" if stacks == 1 else f"{stacks:,} stacks"
    return f" {things} in {where} could not be compared: the result is unknown."


def write_stack(stack: StackDrift) -> Iterator[Line]:
    """Write the result of one stack, without its name."""
    for severity, title in _TITLES:
        found = [each for each in stack.findings if each.severity == severity]
        if found:
            yield Line("title", f"  {title}")
        yield from (line for each in found for line in _write_finding(each))
    # Each remedy is shown once, because most findings have the same.
    remedies = dict.fromkeys((each.action, each.remedy) for each in stack.findings)
    if remedies:
        yield Line("title", "  Next")
    for action, remedy in remedies:
        yield Line("", f"    {action}: {remedy}")
    if stack.error:
        yield Line("error", f"  ! it could not be compared: {stack.error}")
    elif stack.result == "same":
        yield Line("", f"  nothing: {stack.resources} resources match the state")
    yield from map(_write_unknown, stack.unknown)
    yield from (Line("", f"  cannot be compared: {each}") for each in stack.unseen)


def _write_unknown(item: Unknown) -> Line:
    name = f"{item.resource} {shorten_type(item.type)}"
    if item.allowed:
        return Line("", f"  ? allowed  {name}: {item.message} (--allow-unknown: {item.allowed})")
    return Line("error", f"  ? unknown  {name}: {item.message}")


def _write_finding(finding: Drifted) -> Iterator[Line]:
    by = f" (last deployed from {finding.by})" if finding.by else ""
    name = f"{finding.resource} {shorten_type(finding.type)}"
    yield Line(finding.kind, f"    {MARKS[finding.kind]} {finding.kind:<8}{name}")
    yield Line(finding.kind, f"        {finding.message}{by}  [{finding.action}]")
