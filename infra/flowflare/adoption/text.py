"""What an adoption found, as lines of text: a table, and under each thing how it differs."""

import json
from collections.abc import Iterator
from typing import Any, Final

from flowflare.adoption.model import Adoption, Entry
from flowflare.review.text import Line

_WIDTH: Final = 80
_SAYS: Final = {
    "found": "as the program declares them",
    "managed": "in the stack's state before",
    "kept": "in state alone",
    "different": "not as the program declares them",
    "missing": "made by the next up",
    "foreign": "beside the stack, and left alone",
}


def lines(document: Adoption) -> Iterator[Line]:
    """The whole document."""
    title = f"{document.project}/{document.stack} in account {document.account}"
    yield Line("title", title)
    for one in document.entries:
        yield from _entry(one)
    if document.baselines:
        yield Line("title", "\nLedgers")
    for baseline in document.baselines:
        yield Line("", f"  {baseline.database}: {baseline.why}")
        yield from (Line("", f"    {name}") for name in baseline.files)
    if document.names:
        yield Line("title", "\nIn the stack's file")
    for key, name in document.names.items():
        yield Line("", f"  {key}: {name}")
    if document.notes:
        yield Line("title", "\nTo know")
    yield from (Line("", f"  {note}") for note in document.notes)
    yield Line("", "")
    yield Line("", summary(document))


def summary(document: Adoption) -> str:
    """What it comes to in one line."""
    counts = {status: sum(one.status == status for one in document.entries) for status in _SAYS}
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    text = ", ".join(parts) or "nothing"
    changes = document.next_changes
    if document.refusals:
        return f"{text}."
    after = "changes nothing" if not changes else f"changes {changes} resource"
    return f"{text}. The next up {after}{'s' if changes > 1 else ''}."


def _entry(one: Entry) -> Iterator[Line]:
    name = f"  {one.name}" if one.name else ""
    yield Line(one.status, f"  {one.status:<10}{one.resource:<38}{one.type:<24}{name}".rstrip())
    if one.message:
        yield Line("", f"            {one.message}")
    for each in one.differences:
        program, account = _shown(each.declared), _shown(each.account)
        yield Line("", f"            {each.path}: {account} in the account, program: {program}")


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."
