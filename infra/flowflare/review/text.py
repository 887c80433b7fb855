"""A review as lines of text, grouped by risk, the worst first; colours come later."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from flowflare.kinds.assessment import RISKS, LintFinding, MigrationFile, Risk
from flowflare.review.entries import ChangedProperty, Entry, Review
from flowflare.review.facts import class_step, operation, rows
from flowflare.review.values import leaves
from flowflare.review.visible import visible
from flowflare.review.words import MARKS, RISK_WORDS, RISKS_SAID

_WIDEST: Final = 100
_INDENT: Final = " " * 8
#: What is told by lines of its own instead of property by property.
_TOLD_ELSEWHERE: Final = ("history", "migrations", "applied", "allow_data_loss")


class Line(NamedTuple):
    """A line with its style: an operation, a risk, a status, `title` or the like; or nothing."""

    style: str
    text: str


def lines(review: Review, *, created: bool = False) -> Iterator[Line]:
    """The review's resources and refusals, without heading and summary.

    Args:
        review: the review.
        created: whether the properties of what is created are told too.
    """
    return readable(_lines(review, created=created))


def readable(found: Iterable[Line]) -> Iterator[Line]:
    """Lines with whatever would act on a terminal made visible: escapes, controls, bidi."""
    return (Line(one.style, visible(one.text, keep="\t")) for one in found)


def _lines(review: Review, *, created: bool) -> Iterator[Line]:
    shown = [one for one in review.entries if one.is_shown]
    for risk in RISKS:
        group = [entry for entry in shown if entry.risk == risk]
        if group:
            yield Line("title", RISK_WORDS[risk])
        for entry in group:
            yield from _entry(entry, created=created)
    if review.refusals:
        yield Line("title", "Refused")
        yield from _refusals(review)


def _refusals(review: Review) -> Iterator[Line]:
    for refusal in review.refusals:
        if refusal.kind != "skipped":
            first, *rest = refusal.reason.splitlines() or [""]
            named = first if first.startswith(refusal.name) else f"{refusal.name}: {first}"
            yield Line("loses-data", f"  ! {named}")
            yield from (Line("loses-data", f"{_INDENT}{line.strip()}") for line in rest)
    waiting = sorted(one.name for one in review.refusals if one.kind == "skipped")
    if waiting:
        yield Line("", f"    left as they are, since they depend on it: {', '.join(waiting)}")


def summary(review: Review, risk: Risk | None = None) -> str:
    """What it comes to in one line: `1 create, 2 update, 8 unchanged; 5 API calls; safe`.

    Args:
        review: the review.
        risk: the risk to say, by default the review's.
    """
    counts: Counter[str] = Counter(entry.op for entry in review.entries)
    parts = [f"{counts[op]} {op}" for op in ("create", "update", "replace", "delete") if counts[op]]
    if counts["same"]:
        parts.append(f"{counts['same']} unchanged")
    calls = "1 API call" if review.api_calls == 1 else f"{review.api_calls:,} API calls"
    said = f"{', '.join(parts) or 'no resources'}; {calls}; {RISKS_SAID[risk or review.risk]}"
    refused = sum(one.kind != "skipped" for one in review.refusals)
    return f"{said}; {refused} refused" if refused else said


def _entry(entry: Entry, *, created: bool) -> Iterator[Line]:
    head = f"  {MARKS[entry.op]} {operation(entry):<9} {entry.name:<36} {entry.kind:<24}"
    yield Line(entry.op, f"{head}{_remarks(entry)}".rstrip())
    for reason in entry.reasons:
        mark = "  " if reason.risk == "safe" else "! "
        yield Line(reason.risk, f"      {mark}{reason.text}")
    for step in entry.class_migrations:
        yield Line(entry.op, f"{_INDENT}class migration {step.tag}: {class_step(step)}")
    for file in entry.migrations:
        yield from _file(file, entry.op)
    if entry.op in ("update", "replace"):
        yield from (Line(entry.op, f"{_INDENT}{text}") for text in _changes(entry))
    elif entry.op == "create" and created:
        yield from (Line(entry.op, f"{_INDENT}{text}") for text in _created(entry))
    for difference in entry.differences:
        yield Line("title", f"{_INDENT}{difference.of}")
        for line in difference.lines:
            yield Line(_style_of(line), f"{_INDENT}{line}")


def _created(entry: Entry) -> Iterator[str]:
    for row in rows(entry):
        remark = f"  ({row.remark})" if row.remark else ""
        yield f"{row.what}: {_value(row.new)}{remark}"


def _remarks(entry: Entry) -> str:
    parts = []
    if entry.protection == "refused":
        parts.append("protected: refused")
    if entry.waits_for and entry.op == "create":
        parts.append(f"after {', '.join(entry.waits_for)}")
    if entry.note:
        parts.append(entry.note)
    return f" ({'; '.join(parts)})" if parts else ""


def _file(file: MigrationFile, op: str) -> Iterator[Line]:
    yield Line(op, f"{_INDENT}run {file.name} [{file.bytes:,} bytes, sha256 {file.sha256[:12]}]")
    for found in file.findings:
        yield Line(_finding_style(found), f"{_INDENT}  {_finding(found)}")


def _finding_style(found: LintFinding) -> str:
    return "loses-data" if found.severity == "error" and not found.accepted else "restarts"


def _finding(found: LintFinding) -> str:
    text = f"line {found.line}: {found.severity} {found.rule}: {found.message}"
    return f"{text}  (accepted: {found.accepted})" if found.accepted else text


def _changes(entry: Entry) -> Iterator[str]:
    added = {f'bindings["{one.name}"]': one for one in entry.bindings_added}
    dropped = {f'bindings["{one.name}"]': one for one in entry.bindings_dropped}
    left_out = (*_TOLD_ELSEWHERE, *entry.told_by_the_script)
    compared = {one.of for one in entry.differences}
    for change in entry.changes:
        if change.path.startswith(left_out) or change.path in compared:
            continue
        if change.path in dropped:
            one = dropped[change.path]
            what = "secret" if one.type.startswith("secret") else "binding"
            yield f"drops {what} {one.name} ({one.type})"
        elif change.path in added:
            yield f"adds binding {added[change.path].name} ({_fields(change.new)})"
        else:
            yield from (_change(one) for one in _flat(change))


def _flat(change: ChangedProperty) -> Iterator[ChangedProperty]:
    """What comes or goes, key by key where it is a mapping."""
    if change.kind == "update":
        yield change
        return
    for path, value in leaves(change.path, change.new or change.old).items():
        side = "new" if change.kind == "add" else "old"
        yield change.model_copy(update={"path": path, side: value})


def _fields(binding: Any) -> str:
    fields = binding if isinstance(binding, dict) else {}
    rest = [f"{key}={_value(value)}" for key, value in fields.items() if key not in _HEAD]
    return ", ".join([str(fields.get("type", "")), *rest])


_HEAD: Final = ("name", "type")


def _change(change: ChangedProperty) -> str:
    if change.kind == "add":
        text = f"{change.path}: {_value(change.new)} (new)"
    elif change.kind == "delete":
        text = f"{change.path}: {_value(change.old)} (removed)"
    elif change.old == change.new == "[secret]":
        text = f"{change.path}: secret rewritten"
    else:
        text = f"{change.path}: {_value(change.old)} -> {_value(change.new)}"
    if change.waits_for:
        text += f"  (known after {', '.join(change.waits_for)})"
    return f"{text}  (replaces)" if change.replaces else text


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (text if len(text) <= _WIDEST else f"{text[:_WIDEST]}...") or '""'


def _style_of(line: str) -> str:
    return {"+": "create", "-": "delete"}.get(line[:1], "")


def joined(shown: Iterable[Line]) -> str:
    """Lines as one text, without styles."""
    return "".join(f"{line.text}\n" for line in shown)
