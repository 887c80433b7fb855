"""Describe a resource's change in words, for Markdown and HTML alike."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any, Final

from flowflare.kinds.assessment import RISKS, ClassStep
from flowflare.kinds.bindings.registry import find_binding_type
from flowflare.review.entries import ChangedProperty, Entry, Review
from flowflare.review.report import Report
from flowflare.review.sections import Section
from flowflare.review.values import TEXT, list_leaves
from flowflare.review.words import NOT_COMPARED, RISK_WORDS, RISKS_IN_SENTENCES

# Shown on lines of their own, or as code.
_SHOWN_ELSEWHERE: Final = ("content", "history", "migrations", "applied", "allow_data_loss")
# The same in every resource, or known from its name: noise when a resource is created.
_NOISE_OF_CREATION: Final = (
    *("accountId", "account_id", "mainModule", "api", "scriptName"),
    *("begun", "force", "scripts"),
)
#: The row with the digest of a new Worker's code.
CODE: Final = "code"
#: Shown as the operation of a resource that could not be compared.
UNSEEN: Final = "not compared"
_OPS: Final = ("create", "update", "replace", "delete")


@dataclass(frozen=True)
class Row:
    """One property or binding of a resource, before and after.

    Attributes:
        what: a property's path, or a binding, variable or secret by name.
        old: the old value; None if it is new.
        new: the new value; None if it is removed.
        remark: a remark, such as that it forces a replacement.
    """

    what: str
    old: str | None
    new: str | None
    remark: str = ""


@dataclass(frozen=True)
class Danger:
    """A sentence about how a section's change affects data or running objects.

    Attributes:
        section: the section's number, from 1.
        entry: the resource; None for the section as a whole.
    """

    section: int
    entry: Entry | None
    text: str

    @property
    def subject(self) -> tuple[str, str]:
        """The operation and the resource's name; both are empty for the section as a whole."""
        return (name_operation(self.entry), self.entry.name) if self.entry else ("", "")


def select_shown(review: Review) -> list[Entry]:
    """Select the resources that a report shows."""
    return [entry for entry in review.entries if entry.is_shown]


def name_operation(entry: Entry) -> str:
    """Return the word for the operation."""
    if entry.op != "same":
        return entry.op
    return "unprotect" if entry.protection == "lifted" else UNSEEN


def list_remarks(entry: Entry) -> tuple[str, ...]:
    """Return the remarks beside a resource's name."""
    parts = []
    if entry.protection == "refused":
        parts.append("protected: refused")
    if entry.waits_for and entry.op == "create":
        parts.append(f"after {', '.join(entry.waits_for)}")
    return (*parts, *([entry.note] if entry.note else []))


def list_rows(entry: Entry) -> tuple[Row, ...]:
    """Return what differs in a resource, in order of paths; nothing for a deleted resource."""
    if entry.op == "delete":
        return ()
    return tuple(_list_rows(entry))


def _list_rows(entry: Entry) -> Iterator[Row]:
    types = {
        binding.name: binding.type for binding in (*entry.bindings_added, *entry.bindings_dropped)
    }
    left_out = (*_SHOWN_ELSEWHERE, *entry.told_by_the_script)
    # A text that is compared line by line is not shown a second time.
    compared = {difference.of for difference in entry.differences}
    for change in entry.changes:
        is_code = change.path == "content" and "content" not in entry.told_by_the_script
        if entry.op == "create" and is_code and change.new != TEXT:
            yield Row(CODE, None, _write_value(change.new))
        if change.path.startswith(left_out) or change.path in compared:
            continue
        if entry.op == "create" and change.path in _NOISE_OF_CREATION:
            continue
        name = _find_binding(change.path)
        if name is not None and (name in types or change.kind != "update"):
            yield _make_binding_row(name, change)
        else:
            yield from _flatten(change)


def _flatten(change: ChangedProperty) -> Iterator[Row]:
    """Split a property into rows: a mapping by its keys. A value that stays empty has no row."""
    old, new = list_leaves(change.path, change.old), list_leaves(change.path, change.new)
    if change.kind == "update" and not (old and new):
        old, new = old or {change.path: change.old}, new or {change.path: change.new}
    for path in dict.fromkeys((*old, *new)):
        yield Row(
            path, _write_value(old.get(path)), _write_value(new.get(path)), _write_remark(change)
        )


def _find_binding(path: str) -> str | None:
    """Return the binding's name if the path is a whole binding."""
    whole = path.startswith('bindings["') and path.endswith('"]')
    return path[len('bindings["') : -len('"]')] if whole else None


def _make_binding_row(name: str, change: ChangedProperty) -> Row:
    fields = change.new if isinstance(change.new, dict) else change.old
    kind = str(fields.get("type", "")) if isinstance(fields, dict) else ""
    what = find_binding_type(kind).word
    old, new = _write_fields(change.old, what), _write_fields(change.new, what)
    return Row(f"{what} {name}", old, new, _write_remark(change))


def _write_fields(binding: Any, what: str) -> str | None:
    if not isinstance(binding, dict):
        return None if binding is None else _write_value(binding)
    if what in {"secret", "variable"}:
        value = binding.get("text", binding.get("json"))
        return _write_value(value) or str(binding.get("type", ""))
    rest = [f"{key}={_write_value(value)}" for key, value in binding.items() if key not in _HEAD]
    return ", ".join([str(binding.get("type", "")), *rest])


_HEAD: Final = ("name", "type")


def _write_remark(change: ChangedProperty) -> str:
    parts = []
    if change.waits_for:
        parts.append(f"known after {', '.join(change.waits_for)}")
    return "; ".join([*parts, *(["forces the replacement"] if change.replaces else [])])


def _write_value(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text or '""'


def is_rewritten(row: Row) -> bool:
    """Return whether a row is a secret with a new value; both values are hidden."""
    return row.old == row.new == "[secret]"


def describe_class_step(step: ClassStep) -> str:
    """Describe a class migration in words: `rename A -> B, delete C`."""
    parts = [
        *(f"new {name}" for name in step.new_sqlite_classes),
        *(f"rename {names}" for names in step.renamed_classes),
        *(f"delete {name}" for name in step.deleted_classes),
        *(f"move {names}" for names in step.transferred_classes),
    ]
    return ", ".join(parts)


def end_sentence(text: str) -> str:
    """End a sentence with a full stop, unless it has a punctuation mark."""
    return text if text.endswith((".", "!", "?", ":")) or not text else f"{text}."


def count_operations(entries: Iterable[Entry]) -> str:
    """Count resources by operation: `1 create, 2 update`. A lifted protection is `unprotect`."""
    counts = Counter(name_operation(entry) for entry in entries)
    return ", ".join(f"{counts[op]:,} {op}" for op in (*_OPS, "unprotect", UNSEEN) if counts[op])


def count_each_operation(section: Section) -> tuple[int, ...]:
    """Count the creates, updates, replaces and deletes in each stack of a section."""
    counts = Counter(entry.op for entry in section.review.entries) if section.review else Counter()
    return tuple(counts[op] for op in _OPS)


def list_dangers(report: Report, risk: str) -> tuple[Danger, ...]:
    """Return every sentence about one risk, section by section."""
    return tuple(_list_dangers(report, risk))


def _list_dangers(report: Report, risk: str) -> Iterator[Danger]:
    for number, section in enumerate(report.sections, start=1):
        if section.error and risk == section.risk == "unknown":
            yield Danger(number, None, NOT_COMPARED.get(section.kind, "Not compared."))
        for doubt in section.doubts if risk == "unknown" else ():
            yield Danger(number, None, doubt)
        for entry in section.review.entries if section.review else ():
            for reason in entry.reasons:
                if reason.risk == risk:
                    yield Danger(number, entry, reason.text)


def describe_removal(section: Section) -> tuple[str, ...]:
    """Return sentences about stacks whose files are removed; nothing for any other section."""
    if section.kind != "removed" or section.review is None:
        return ()
    counts = Counter(entry.kind for entry in section.review.entries)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))
    files = "It has no file" if len(section.stacks) == 1 else "They have no files"
    own = section.stacks[0] if len(section.stacks) == 1 else "<stack>"
    return (
        f"{files} any more. Merging this deletes nothing: the resources stay, and what they cost "
        f"is still billed: {kinds or 'no resources'}.",
        f"To delete them, run `flowflare destroy --stack {quote(own)}`, before the merge or after "
        "it. To rename a stack of the Pulumi CLI, run `pulumi stack rename` too, and set "
        f"`flowflare:environment: {own}` in the new file, so that the resources keep their names.",
    )


def write_stacks(count: int) -> str:
    """Write a number of stacks: `1 stack`, `1,000 stacks`."""
    return "1 stack" if count == 1 else f"{count:,} stacks"


def write_calls(count: int) -> str:
    """Write a number of API calls: `1 API call`, `1,000 API calls`."""
    return "1 API call" if count == 1 else f"{count:,} API calls"


def write_headline(report: Report) -> str:
    """Write the report's first line, which begins with the risk and contains no names."""
    if not report.sections:
        return "Nothing changes"
    if not report.counts.changed:
        return "Not compared"
    changed = f"{report.counts.changed:,} of {write_stacks(report.counts.stacks)} would change"
    return f"{RISK_WORDS[report.risk]}: {changed}"


def name_risk(section: Section) -> str:
    """Return a section's risk in words."""
    return RISKS_IN_SENTENCES[section.risk]


def group_by_risk(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Group entries by risk, worst first, without risks that no entry has."""
    groups: dict[str, list[Entry]] = {risk: [] for risk in RISKS}
    for entry in entries:
        groups[entry.risk].append(entry)
    return {risk: group for risk, group in groups.items() if group}
