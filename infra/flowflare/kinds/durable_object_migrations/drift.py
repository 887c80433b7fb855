"""Compare Durable Object classes: the live tag, and the namespaces that hold objects."""

from collections.abc import Iterator
from typing import Any

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.durable_object_migrations import KIND
from flowflare.kinds.scene import Record, Scene, format_value, make_finding, text
from flowflare.model.class_history import list_classes_after
from flowflare.model.class_migrations import from_wire
from flowflare.values.properties import plain


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in the class migrations and namespaces of a stack's scripts."""
    records = {text(record, "script_name"): record for record in scene.of_kind(KIND)}
    live = account.scripts()
    namespaces: dict[str, set[str]] = {}
    for row in account.namespaces() if scene.scripts else ():
        namespaces.setdefault(str(row.get("script")), set()).add(str(row.get("class")))
    for name, record in records.items():
        if name in live:
            yield from _compare_tag(record, live[name].get("migration_tag"))
            yield from _compare_namespaces(record, namespaces.get(name, set()))
    for name, script in scene.scripts.items():
        for class_name in sorted(namespaces.get(name, set())) if name not in records else ():
            yield _report_extra(script, class_name)


def _compare_tag(record: Record, live: Any) -> Iterator[Drifted]:
    wanted = plain(record.outputs.get("migration_tag"))
    if isinstance(wanted, str) and wanted != (live or ""):
        message = f"the class migration {format_value(live)} is live, but state has {wanted}"
        yield make_finding(
            record,
            "changed",
            message,
            path="migration_tag",
            state=wanted,
            account=live,
            severity="error",
            action="restore",
        )


def _compare_namespaces(record: Record, live: set[str]) -> Iterator[Drifted]:
    history = plain(record.inputs.get("history"))
    if not isinstance(history, list):
        return
    wanted = set(list_classes_after(from_wire(history)))
    for class_name in sorted(wanted - live):
        message = f"class {class_name} has no namespace any more; its objects' data is gone with it"
        yield make_finding(
            record,
            "missing",
            message,
            path=f'classes["{class_name}"]',
            state=class_name,
            severity="error",
            action="restore",
        )
    for class_name in sorted(live - wanted):
        yield _report_extra(record, class_name)


def _report_extra(record: Record, name: str) -> Drifted:
    message = f"class {name} has a namespace that is not in the history"
    return make_finding(
        record, "extra", message, path=f'classes["{name}"]', account=name, action="adopt"
    )
