"""Finds Durable Object classes: the live tag must be a step of the history."""

from collections.abc import Sequence

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted, known
from flowflare.model.class_history import list_classes_after
from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration, from_wire
from flowflare.values.properties import plain


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The class history of a live script, as far as it has come."""
    name = wanted.text("script_name")
    row = account.scripts().get(name)
    if row is None:
        return None
    history = from_wire(plain(wanted.inputs["history"]))
    tag = str(row.get("migration_tag") or "")
    rows = [one for one in account.namespaces() if one.get("script") == name]
    classes = sorted(str(one.get("class")) for one in rows)
    if not tag and classes:
        findings.refuse(
            f"{name} has {', '.join(classes)} and no class migration tag: it declares its "
            "Durable Objects as `exports`, as newer wranglers do",
            "Cloudflare lets no script back from `exports` to class migrations.",
        )
        return None
    tags = [step.tag for step in history]
    if tag and tag not in tags:
        _unknown_tag(wanted, tag, classes, history, findings)
        return None
    applied = history[: tags.index(tag) + 1] if tag else ()
    _compare_classes(name, applied, classes, findings)
    if any(not one.get("use_sqlite", True) for one in rows):
        findings.note(
            f"{name}: a class of its keeps its data as keys and values, as `new_classes` made it; "
            "it goes on so, and a later step of its history will be refused."
        )
    outputs = {key: wanted.inputs.get(key) for key in ("account_id", "script_name", "__provider")}
    whole = wanted.inputs["history"]
    inputs = known({**wanted.inputs, "history": whole[: len(applied)]})
    waiting = tags[len(applied) :]
    found = [Difference(path="history", declared=tags[-1], account=tag)] if waiting else []
    identity = f"{wanted.text('account_id')}/{name}"
    return Thing(identity, inputs, {**outputs, "migration_tag": tag}, name, found)


def _unknown_tag(
    wanted: Wanted,
    tag: str,
    classes: Sequence[str],
    history: Sequence[ClassMigration],
    findings: Findings,
) -> None:
    name = wanted.text("script_name")
    ours = tuple(list_classes_after(SERVICE_HISTORY))
    if tuple(step.step() for step in history) == tuple(step.step() for step in SERVICE_HISTORY):
        if tuple(classes) == ours and len(history) == 1:
            findings.tag = tag  # the same step under another name; the run begins again with it
            return
        findings.refuse(
            f"{name}: the live class migration tag {tag!r} is none of the service's, and it has "
            f"the classes {', '.join(classes) or 'none'} instead of {', '.join(ours)}",
            "Move what is not Flowflare's to a Worker of its own first: a class goes there with "
            "its objects by a class migration of wrangler's, transferred_classes.",
        )
        return
    step = f"{{tag: {tag}, newSqliteClasses: [{', '.join(classes)}]}}"
    findings.refuse(
        f"{name}: the live class migration tag {tag!r} is not in its history "
        f"({', '.join(one.tag for one in history)})",
        f"Begin the client's classMigrations with what it has had: {step}",
    )


def _compare_classes(
    name: str, applied: Sequence[ClassMigration], classes: Sequence[str], findings: Findings
) -> None:
    expected = sorted(list_classes_after(applied))
    missing = sorted(set(expected) - set(classes))
    if missing:
        findings.refuse(
            f"{name}: its live tag says that it has the Durable Object class "
            f"{', '.join(missing)}, and the account has no namespace of it",
            "The tag is another history's: give the steps of classMigrations other tags, or the "
            "script another name in flowflare:names.",
        )
