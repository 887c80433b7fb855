"""Compares Durable Object classes: the tag that is live, and the namespaces that hold objects."""

from collections.abc import Iterator
from typing import Any

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.durable_object_migrations import KIND
from flowflare.kinds.scene import Record, Scene, drifted, shown, text
from flowflare.model.class_history import list_classes_after
from flowflare.model.class_migrations import from_wire
from flowflare.values.properties import plain


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the class migrations and namespaces of a stack's scripts."""
    records = {text(one, "script_name"): one for one in scene.of_kind(KIND)}
    live = account.scripts()
    namespaces: dict[str, set[str]] = {}
    for row in account.namespaces() if scene.scripts else ():
        namespaces.setdefault(str(row.get("script")), set()).add(str(row.get("class")))
    for name, one in records.items():
        if name in live:
            yield from _tag(one, live[name].get("migration_tag"))
            yield from _namespaces(one, namespaces.get(name, set()))
    for name, script in scene.scripts.items():
        for each in sorted(namespaces.get(name, set())) if name not in records else ():
            yield _extra(script, each)


def _tag(one: Record, live: Any) -> Iterator[Drifted]:
    wanted = plain(one.outputs.get("migration_tag"))
    if isinstance(wanted, str) and wanted != (live or ""):
        message = f"the class migration {shown(live)} is live, state says {wanted}"
        yield drifted(
            one,
            "changed",
            message,
            path="migration_tag",
            state=wanted,
            account=live,
            severity="error",
            action="restore",
        )


def _namespaces(one: Record, live: set[str]) -> Iterator[Drifted]:
    history = plain(one.inputs.get("history"))
    if not isinstance(history, list):
        return
    wanted = set(list_classes_after(from_wire(history)))
    for each in sorted(wanted - live):
        message = f"class {each} has no namespace any more; its objects' data is gone with it"
        yield drifted(
            one,
            "missing",
            message,
            path=f'classes["{each}"]',
            state=each,
            severity="error",
            action="restore",
        )
    for each in sorted(live - wanted):
        yield _extra(one, each)


def _extra(one: Record, name: str) -> Drifted:
    message = f"class {name} has a namespace that is not in the history"
    return drifted(one, "extra", message, path=f'classes["{name}"]', account=name, action="adopt")
