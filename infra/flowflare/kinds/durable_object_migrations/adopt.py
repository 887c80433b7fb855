"""Find Durable Object classes; the live tag must be a step of the history."""

from collections.abc import Sequence

from flowflare.kinds.account import Account, Row
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted, drop_unknown
from flowflare.model.class_history import list_classes_after
from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration, from_wire
from flowflare.values.properties import plain


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the applied part of a live script's class history."""
    name = wanted.text("script_name")
    row = account.scripts().get(name)
    if row is None:
        return None
    history = from_wire(plain(wanted.inputs["history"]))
    tag = str(row.get("migration_tag") or "")
    rows = [
        differences for differences in account.namespaces() if differences.get("script") == name
    ]
    classes = sorted(str(row.get("class")) for row in rows)
    if not tag and classes:
        findings.refuse(
            f"{name} has {', '.join(classes)} and no class migration tag: it declares its "
            "Durable Objects as `exports`, as newer wranglers do",
            "Cloudflare does not let a script return from `exports` to class migrations.",
        )
        return None
    tags = [step.tag for step in history]
    if tag and tag not in tags:
        _refuse_unknown_tag(wanted, tag, rows, history, findings)
        return None
    applied = history[: tags.index(tag) + 1] if tag else ()
    _compare_classes(name, applied, classes, findings)
    if old := _list_key_value(rows):
        findings.note(
            f"{name}: {', '.join(old)} has key-value storage, because `new_classes` created it. "
            "It keeps this storage, and a later step of its history will be refused."
        )
    outputs = {key: wanted.inputs.get(key) for key in ("account_id", "script_name", "__provider")}
    whole = wanted.inputs["history"]
    inputs = drop_unknown({**wanted.inputs, "history": whole[: len(applied)]})
    waiting = tags[len(applied) :]
    differences = [Difference(path="history", declared=tags[-1], account=tag)] if waiting else []
    identity = f"{wanted.text('account_id')}/{name}"
    return Thing(identity, inputs, {**outputs, "migration_tag": tag}, name, differences)


def _refuse_unknown_tag(
    wanted: Wanted,
    tag: str,
    rows: Sequence[Row],
    history: Sequence[ClassMigration],
    findings: Findings,
) -> None:
    name = wanted.text("script_name")
    classes = sorted(str(row.get("class")) for row in rows)
    ours = tuple(list_classes_after(SERVICE_HISTORY))
    if tuple(step.step() for step in history) == tuple(step.step() for step in SERVICE_HISTORY):
        if tuple(classes) == ours and len(history) == 1:
            findings.tag = tag  # the same step with another tag; the run starts again with it
            return
        findings.refuse(
            f"{name}: the live class migration tag {tag!r} is not one of the service's, and it has "
            f"the classes {', '.join(classes) or 'none'} instead of {', '.join(ours)}",
            "First move your own classes to another Worker with wrangler: the class migration "
            "transferred_classes moves a class with its objects.",
        )
        return
    step = f"{{tag: {tag}, newSqliteClasses: [{', '.join(classes)}]}}"
    remedy = f"Begin the client's classMigrations with the applied step: {step}"
    if old := _list_key_value(rows):
        remedy = (
            f"{', '.join(old)} has key-value storage, because `new_classes` created it, and a "
            "class keeps its storage. Keep deploying this Worker with wrangler, or replace the "
            "class first: create a class of another name with new_sqlite_classes, copy the data "
            "in your code, and delete the old class."
        )
    findings.refuse(
        f"{name}: the live class migration tag {tag!r} is not in its history "
        f"({', '.join(migration.tag for migration in history)})",
        remedy,
    )


def _list_key_value(rows: Sequence[Row]) -> list[str]:
    """List the classes that `new_classes` created, which have no SQLite storage."""
    return sorted(str(row.get("class")) for row in rows if not row.get("use_sqlite", True))


def _compare_classes(
    name: str, applied: Sequence[ClassMigration], classes: Sequence[str], findings: Findings
) -> None:
    expected = sorted(list_classes_after(applied))
    missing = sorted(set(expected) - set(classes))
    if missing:
        findings.refuse(
            f"{name}: its live tag says that it has the Durable Object class "
            f"{', '.join(missing)}, and the account has no namespace of it",
            "The tag belongs to another history: give the steps of classMigrations other tags, or "
            "the script another name in flowflare:names.",
        )
