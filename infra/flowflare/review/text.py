"""Write a review as lines of text, grouped by risk, worst first, with style names."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from flowflare.kinds.assessment import RISKS, LintFinding, MigrationFile, Risk
from flowflare.review.entries import ChangedProperty, Entry, Review
from flowflare.review.facts import describe_class_step, list_rows, name_operation
from flowflare.review.values import list_leaves
from flowflare.review.visible import make_visible
from flowflare.review.words import MARKS, RISK_WORDS, RISKS_IN_SENTENCES

_WIDEST: Final = 100
_INDENT: Final = " " * 8
#: Shown on lines of their own instead of property by property.
_SHOWN_ELSEWHERE: Final = ("history", "migrations", "applied", "allow_data_loss")


class Line(NamedTuple):
    """A line and its style: an operation, a risk, a status, `title` and so on; or no style."""

    style: str
    text: str


def write_lines(review: Review, *, created: bool = False) -> Iterator[Line]:
    """Write the review's resources and refusals, without heading and summary.

    Args:
        created: whether to show the properties of created resources too.
    """
    return make_readable(_write_lines(review, created=created))


def make_readable(found: Iterable[Line]) -> Iterator[Line]:
    """Make characters visible that would affect a terminal: escapes, controls, bidi."""
    return (Line(line.style, make_visible(line.text, keep="\t")) for line in found)


def _write_lines(review: Review, *, created: bool) -> Iterator[Line]:
    shown = [entry for entry in review.entries if entry.is_shown]
    for risk in RISKS:
        group = [entry for entry in shown if entry.risk == risk]
        if group:
            yield Line("title", RISK_WORDS[risk])
        for entry in group:
            yield from _write_entry(entry, created=created)
    if review.refusals:
        yield Line("title", "Refused")
        yield from _write_refusals(review)


def _write_refusals(review: Review) -> Iterator[Line]:
    for refusal in review.refusals:
        if refusal.kind != "skipped":
            first, *rest = refusal.reason.splitlines() or [""]
            named = first if first.startswith(refusal.name) else f"{refusal.name}: {first}"
            yield Line("loses-data", f"  ! {named}")
            yield from (Line("loses-data", f"{_INDENT}{line.strip()}") for line in rest)
    waiting = sorted(refusal.name for refusal in review.refusals if refusal.kind == "skipped")
    if waiting:
        yield Line("", f"    unchanged, because they depend on it: {', '.join(waiting)}")


def summarise_review(review: Review, risk: Risk | None = None) -> str:
    """Summarise the review in one line: `1 create, 2 update, 8 unchanged; 5 API calls; safe`.

    Args:
        risk: the risk to name, by default the review's.
    """
    counts: Counter[str] = Counter(entry.op for entry in review.entries)
    parts = [f"{counts[op]} {op}" for op in ("create", "update", "replace", "delete") if counts[op]]
    if counts["same"]:
        parts.append(f"{counts['same']} unchanged")
    calls = "1 API call" if review.api_calls == 1 else f"{review.api_calls:,} API calls"
    said = (
        f"{', '.join(parts) or 'no resources'}; {calls}; {RISKS_IN_SENTENCES[risk or review.risk]}"
    )
    refused = sum(refusal.kind != "skipped" for refusal in review.refusals)
    return f"{said}; {refused} refused" if refused else said


def _write_entry(entry: Entry, *, created: bool) -> Iterator[Line]:
    head = f"  {MARKS[entry.op]} {name_operation(entry):<9} {entry.name:<36} {entry.kind:<24}"
    yield Line(entry.op, f"{head}{_write_remarks(entry)}".rstrip())
    for reason in entry.reasons:
        mark = "  " if reason.risk == "safe" else "! "
        yield Line(reason.risk, f"      {mark}{reason.text}")
    for step in entry.class_migrations:
        yield Line(entry.op, f"{_INDENT}class migration {step.tag}: {describe_class_step(step)}")
    for file in entry.migrations:
        yield from _write_file(file, entry.op)
    if entry.op in ("update", "replace"):
        yield from (Line(entry.op, f"{_INDENT}{text}") for text in _write_changes(entry))
    elif entry.op == "create" and created:
        yield from (Line(entry.op, f"{_INDENT}{text}") for text in _write_created(entry))
    for difference in entry.differences:
        yield Line("title", f"{_INDENT}{difference.of}")
        for line in difference.lines:
            yield Line(_choose_style(line), f"{_INDENT}{line}")


def _write_created(entry: Entry) -> Iterator[str]:
    for row in list_rows(entry):
        remark = f"  ({row.remark})" if row.remark else ""
        yield f"{row.what}: {_write_value(row.new)}{remark}"


def _write_remarks(entry: Entry) -> str:
    parts = []
    if entry.protection == "refused":
        parts.append("protected: refused")
    if entry.waits_for and entry.op == "create":
        parts.append(f"after {', '.join(entry.waits_for)}")
    if entry.note:
        parts.append(entry.note)
    return f" ({'; '.join(parts)})" if parts else ""


def _write_file(file: MigrationFile, op: str) -> Iterator[Line]:
    yield Line(op, f"{_INDENT}run {file.name} [{file.bytes:,} bytes, sha256 {file.sha256[:12]}]")
    for found in file.findings:
        yield Line(_choose_finding_style(found), f"{_INDENT}  {_write_finding(found)}")


def _choose_finding_style(found: LintFinding) -> str:
    return "loses-data" if found.severity == "error" and not found.accepted else "restarts"


def _write_finding(found: LintFinding) -> str:
    text = f"line {found.line}: {found.severity} {found.rule}: {found.message}"
    return f"{text}  (accepted: {found.accepted})" if found.accepted else text


def _write_changes(entry: Entry) -> Iterator[str]:
    added = {f'bindings["{binding.name}"]': binding for binding in entry.bindings_added}
    dropped = {f'bindings["{binding.name}"]': binding for binding in entry.bindings_dropped}
    left_out = (*_SHOWN_ELSEWHERE, *entry.told_by_the_script)
    compared = {difference.of for difference in entry.differences}
    for change in entry.changes:
        if change.path.startswith(left_out) or change.path in compared:
            continue
        if change.path in dropped:
            binding = dropped[change.path]
            what = "secret" if binding.type.startswith("secret") else "binding"
            yield f"drops {what} {binding.name} ({binding.type})"
        elif change.path in added:
            yield f"adds binding {added[change.path].name} ({_write_fields(change.new)})"
        else:
            yield from (_write_change(part) for part in _flatten(change))


def _flatten(change: ChangedProperty) -> Iterator[ChangedProperty]:
    """Split an added or removed value by its keys, if it is a mapping."""
    if change.kind == "update":
        yield change
        return
    for path, value in list_leaves(change.path, change.new or change.old).items():
        side = "new" if change.kind == "add" else "old"
        yield change.model_copy(update={"path": path, side: value})


def _write_fields(binding: Any) -> str:
    fields = binding if isinstance(binding, dict) else {}
    rest = [f"{key}={_write_value(value)}" for key, value in fields.items() if key not in _HEAD]
    return ", ".join([str(fields.get("type", "")), *rest])


_HEAD: Final = ("name", "type")


def _write_change(change: ChangedProperty) -> str:
    if change.kind == "add":
        text = f"{change.path}: {_write_value(change.new)} (new)"
    elif change.kind == "delete":
        text = f"{change.path}: {_write_value(change.old)} (removed)"
    elif change.old == change.new == "[secret]":
        text = f"{change.path}: secret rewritten"
    else:
        text = f"{change.path}: {_write_value(change.old)} -> {_write_value(change.new)}"
    if change.waits_for:
        text += f"  (known after {', '.join(change.waits_for)})"
    return f"{text}  (replaces)" if change.replaces else text


def _write_value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (text if len(text) <= _WIDEST else f"{text[:_WIDEST]}...") or '""'


def _choose_style(line: str) -> str:
    return {"+": "create", "-": "delete"}.get(line[:1], "")


def join_lines(shown: Iterable[Line]) -> str:
    """Join lines to one text, without styles."""
    return "".join(f"{line.text}\n" for line in shown)
