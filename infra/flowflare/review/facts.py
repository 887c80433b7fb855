"""What a form tells of a resource, in words: one place for Markdown and HTML alike."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.kinds.assessment import RISKS, ClassStep
from flowflare.review.entries import ChangedProperty, Entry, Review
from flowflare.review.report import Report
from flowflare.review.sections import Section
from flowflare.review.values import leaves
from flowflare.review.words import NOT_COMPARED, RISK_WORDS, RISKS_SAID

# Told by lines of their own, or as code.
_TOLD_ELSEWHERE: Final = ("content", "history", "migrations", "applied", "allow_data_loss")
# The same in every resource, or known from its name; only creations would repeat them.
_NOISE_OF_CREATION: Final = (
    *("accountId", "account_id", "mainModule", "api", "scriptName"),
    *("begun", "force", "scripts"),
)
#: What stands for the operation on a resource that could not be compared.
UNSEEN: Final = "not compared"
_OPS: Final = ("create", "update", "replace", "delete")


@dataclass(frozen=True)
class Row:
    """One thing of a resource that is there before, after, or otherwise.

    Attributes:
        what: a property's path, or a binding, variable or secret by name.
        old: what was there; None where nothing was.
        new: what will be there; None where nothing will.
        remark: what else there is to say, such as that it forces a replacement.
    """

    what: str
    old: str | None
    new: str | None
    remark: str = ""


@dataclass(frozen=True)
class Danger:
    """A sentence about what a section's change does to data or running objects.

    Attributes:
        section: the section's number, from 1.
        entry: the resource; None for the section as a whole.
        text: the sentence.
    """

    section: int
    entry: Entry | None
    text: str

    @property
    def subject(self) -> tuple[str, str]:
        """The operation and the resource's name, both empty for the section as a whole."""
        return (operation(self.entry), self.entry.name) if self.entry else ("", "")


def shown(review: Review) -> list[Entry]:
    """The resources to show."""
    return [one for one in review.entries if one.is_shown]


def operation(entry: Entry) -> str:
    """The operation's word."""
    if entry.op != "same":
        return entry.op
    return "unprotect" if entry.protection == "lifted" else UNSEEN


def remarks(entry: Entry) -> tuple[str, ...]:
    """What to say beside a resource's name."""
    parts = []
    if entry.protection == "refused":
        parts.append("protected: refused")
    if entry.waits_for and entry.op == "create":
        parts.append(f"after {', '.join(entry.waits_for)}")
    return (*parts, *([entry.note] if entry.note else []))


def rows(entry: Entry) -> tuple[Row, ...]:
    """What of a resource is otherwise, in the order of its paths; what goes as a whole has none."""
    if entry.op == "delete":
        return ()
    return tuple(_rows(entry))


def _rows(entry: Entry) -> Iterator[Row]:
    types = {one.name: one.type for one in (*entry.bindings_added, *entry.bindings_dropped)}
    left_out = (*_TOLD_ELSEWHERE, *entry.told_by_the_script)
    # What is compared line by line is not told a second time.
    compared = {one.of for one in entry.differences}
    for change in entry.changes:
        if change.path.startswith(left_out) or change.path in compared:
            continue
        if entry.op == "create" and change.path in _NOISE_OF_CREATION:
            continue
        name = _binding(change.path)
        if name is not None and (name in types or change.kind != "update"):
            yield _bound(name, change)
        else:
            yield from _flat(change)


def _flat(change: ChangedProperty) -> Iterator[Row]:
    """A property in rows: a mapping by its keys; what is empty, before and after, has none."""
    old, new = leaves(change.path, change.old), leaves(change.path, change.new)
    if change.kind == "update" and not (old and new):
        old, new = old or {change.path: change.old}, new or {change.path: change.new}
    for path in dict.fromkeys((*old, *new)):
        yield Row(path, _value(old.get(path)), _value(new.get(path)), _remark(change))


def _binding(path: str) -> str | None:
    """The name of the binding that a path is, as a whole."""
    whole = path.startswith('bindings["') and path.endswith('"]')
    return path[len('bindings["') : -len('"]')] if whole else None


def _bound(name: str, change: ChangedProperty) -> Row:
    fields = change.new if isinstance(change.new, dict) else change.old
    kind = str(fields.get("type", "")) if isinstance(fields, dict) else ""
    what = {"secret_text": "secret", "plain_text": "variable", "json": "variable"}.get(
        kind, "binding"
    )
    old, new = _fields(change.old, what), _fields(change.new, what)
    return Row(f"{what} {name}", old, new, _remark(change))


def _fields(binding: Any, what: str) -> str | None:
    if not isinstance(binding, dict):
        return None if binding is None else _value(binding)
    if what in {"secret", "variable"}:
        value = binding.get("text", binding.get("json"))
        return _value(value) or str(binding.get("type", ""))
    rest = [f"{key}={_value(value)}" for key, value in binding.items() if key not in _HEAD]
    return ", ".join([str(binding.get("type", "")), *rest])


_HEAD: Final = ("name", "type")


def _remark(change: ChangedProperty) -> str:
    parts = []
    if change.waits_for:
        parts.append(f"known after {', '.join(change.waits_for)}")
    return "; ".join([*parts, *(["forces the replacement"] if change.replaces else [])])


def _value(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text or '""'


def rewritten(row: Row) -> bool:
    """Whether a row is a secret that gets another value, neither of which is told."""
    return row.old == row.new == "[secret]"


def class_step(step: ClassStep) -> str:
    """What a class migration does, in words: `rename A -> B, delete C`."""
    parts = [
        *(f"new {name}" for name in step.new_sqlite_classes),
        *(f"rename {names}" for names in step.renamed_classes),
        *(f"delete {name}" for name in step.deleted_classes),
        *(f"move {names}" for names in step.transferred_classes),
    ]
    return ", ".join(parts)


def ended(text: str) -> str:
    """A sentence with a point at its end, if it has no other sign there."""
    return text if text.endswith((".", "!", "?", ":")) or not text else f"{text}."


def counted(entries: Iterable[Entry]) -> str:
    """Resources by operation: `1 create, 2 update`; a lifted protection counts as `unprotect`."""
    counts = Counter(operation(one) for one in entries)
    return ", ".join(f"{counts[op]:,} {op}" for op in (*_OPS, "unprotect", UNSEEN) if counts[op])


def per_operation(section: Section) -> tuple[int, ...]:
    """How many resources are created, updated, replaced, deleted in each stack of a section."""
    counts = Counter(one.op for one in section.review.entries) if section.review else Counter()
    return tuple(counts[op] for op in _OPS)


def dangers(report: Report, risk: str) -> tuple[Danger, ...]:
    """Every sentence about one of the risks, section by section."""
    return tuple(_dangers(report, risk))


def _dangers(report: Report, risk: str) -> Iterator[Danger]:
    for number, section in enumerate(report.sections, start=1):
        if section.error and risk == section.risk == "unknown":
            yield Danger(number, None, NOT_COMPARED.get(section.kind, "Not compared."))
        for doubt in section.doubts if risk == "unknown" else ():
            yield Danger(number, None, doubt)
        for entry in section.review.entries if section.review else ():
            for reason in entry.reasons:
                if reason.risk == risk:
                    yield Danger(number, entry, reason.text)


def stacks(count: int) -> str:
    """`1 stack`, `1,000 stacks`."""
    return "1 stack" if count == 1 else f"{count:,} stacks"


def calls(count: int) -> str:
    """`1 API call`, `1,000 API calls`."""
    return "1 API call" if count == 1 else f"{count:,} API calls"


def headline(report: Report) -> str:
    """The report's first words, the risk first, without a name in them."""
    if not report.sections:
        return "Nothing changes"
    if not report.counts.changed:
        return "Not compared"
    changed = f"{report.counts.changed:,} of {stacks(report.counts.stacks)} would change"
    return f"{RISK_WORDS[report.risk]}: {changed}"


def risk_of(section: Section) -> str:
    """A section's risk in words."""
    return RISKS_SAID[section.risk]


def by_risk(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Entries under their risks, the worst first; a risk that none has is left out."""
    groups: dict[str, list[Entry]] = {risk: [] for risk in RISKS}
    for one in entries:
        groups[one.risk].append(one)
    return {risk: group for risk, group in groups.items() if group}
