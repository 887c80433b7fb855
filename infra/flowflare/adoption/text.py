"""Write an adoption as lines of text: a table, with the differences below each resource."""

import json
from collections.abc import Iterator
from typing import Any, Final

from flowflare.adoption.model import Adoption, Entry
from flowflare.review.text import Line

_WIDTH: Final = 80
_SAYS: Final = {
    "found": "match the program",
    "managed": "were in the stack's state before",
    "kept": "exist only in state",
    "different": "do not match the program",
    "missing": "are created by the next up",
    "foreign": "are not part of the stack, and stay as they are",
}


def write_lines(document: Adoption) -> Iterator[Line]:
    """Write the whole document."""
    title = f"{document.project}/{document.stack} in account {document.account}"
    yield Line("title", title)
    for entry in document.entries:
        yield from _write_entry(entry)
    if document.baselines:
        yield Line("title", "\nLedgers of D1 migrations")
    for baseline in document.baselines:
        yield Line("", f"  {baseline.database}: {baseline.why}")
        yield from (Line("", f"    {name}") for name in baseline.files)
    if document.names:
        yield Line("title", "\nIn the stack's file")
    for key, name in document.names.items():
        yield Line("", f"  {key}: {name}")
    if document.notes:
        yield Line("title", "\nNotes")
    yield from (Line("", f"  {note}") for note in document.notes)
    yield Line("", "")
    yield Line("", summarise_adoption(document))


def summarise_adoption(document: Adoption) -> str:
    """Summarise the document in one line."""
    counts = {status: sum(entry.status == status for entry in document.entries) for status in _SAYS}
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    text = ", ".join(parts) or "nothing"
    changes = document.next_changes
    if document.refusals:
        return f"{text}."
    after = "changes nothing" if not changes else f"changes {changes} resource"
    return f"{text}. The next up {after}{'s' if changes > 1 else ''}."


def _write_entry(entry: Entry) -> Iterator[Line]:
    name = f"  {entry.name}" if entry.name else ""
    row = f"  {entry.status:<10}{entry.resource:<37} {entry.type:<23} {name}"
    yield Line(entry.status, row.rstrip())
    if entry.message:
        yield Line("", f"            {entry.message}")
    for each in entry.differences:
        program, account = _shorten(each.declared), _shorten(each.account)
        yield Line("", f"            {each.path}: {account} in the account, program: {program}")


def _shorten(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."
