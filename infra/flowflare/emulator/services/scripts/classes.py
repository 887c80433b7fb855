"""Apply class migrations to the namespaces of Durable Objects, and refuse invalid ones.

A namespace keeps its ID when its class is renamed or moves to another script, because its data is
stored under the ID. Other scripts' bindings follow it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from flowflare.emulator import class_codes
from flowflare.emulator.clock import plain_id
from flowflare.emulator.services.scripts.upload import Migrations, Step

Binding = Mapping[str, Any]

KeyValueRule = Literal["allowed", "free", "closed"]


@dataclass(frozen=True)
class Namespace:
    """Describe a class that is a Durable Object."""

    id: str
    script: str
    class_name: str
    use_sqlite: bool


@dataclass(frozen=True)
class UploadedClasses:
    """Hold what class migrations need to know of the uploaded version."""

    script: str
    exported: frozenset[str]
    bound: frozenset[str]
    """Classes that its new bindings use, of any script."""
    bound_before: frozenset[str]
    """Classes of this script that its live bindings use."""
    bound_elsewhere: frozenset[str]
    """Classes of this script that other scripts' bindings use."""


Ledger = Mapping[tuple[str, str], Namespace]


def migrate(
    ledger: Ledger,
    target: UploadedClasses,
    live_tag: str | None,
    migrations: Migrations,
    rule: KeyValueRule,
) -> dict[tuple[str, str], Namespace]:
    """Apply class migrations.

    Args:
        ledger: the account's namespaces by (script, class).
        target: the uploaded version.
        live_tag: the script's current tag.
        migrations: the upload's migrations.
        rule: whether the account may create key-value classes.

    Returns:
        the namespaces after the migrations.

    Raises:
        Refusal: 10079, 10070, 10074, 10061, 10097 or 10099.
    """
    given, live = migrations.old_tag or "", live_tag or ""
    if given != live:
        raise class_codes.tag_mismatch(given, live)
    running = _Migration(dict(ledger), target, {}, rule)
    for step in migrations.all_steps():
        _refuse_duplicates(step)
        running.create(step)
        running.move(step)
        running.delete(step)
    for name, kind in running.created.items():
        if (target.script, name) in running.current and name not in target.exported:
            raise class_codes.new_class_not_exported(kind, name)
    return running.current


def forward_binding(binding: Binding, script: str, before: Ledger, after: Ledger) -> Binding:
    """Return a script's live binding as it is after another script's class migrations.

    The binding still refers to the same objects, even if their class or script has a new name.

    Args:
        before: the namespaces before the migrations.
        after: the namespaces after the migrations.
    """
    host = str(binding.get("script_name") or script)
    namespace = before.get((host, str(binding.get("class_name"))))
    if binding.get("type") != "durable_object_namespace" or namespace is None:
        return binding
    now = next((item for item in after.values() if item.id == namespace.id), namespace)
    if (now.script, now.class_name) == (namespace.script, namespace.class_name):
        return binding
    unchanged = {key: value for key, value in binding.items() if key != "script_name"}
    moved = {} if now.script == script else {"script_name": now.script}
    return {**unchanged, **moved, "class_name": now.class_name}


def refuse_lost_classes(ledger: Ledger, script: str, exported: Collection[str]) -> None:
    """Refuse a version without a class that has Durable Objects (10064)."""
    for owner, name in ledger:
        if owner == script and name not in exported:
            raise class_codes.class_still_used(name)


def _refuse_duplicates(step: Step) -> None:
    named = [
        *step.new_classes,
        *step.new_sqlite_classes,
        *step.deleted_classes,
        *(rename.to for rename in step.renamed_classes),
        *(transfer.to for transfer in step.transferred_classes),
    ]
    for name in named:
        if named.count(name) > 1:
            raise class_codes.class_twice(name)


@dataclass(frozen=True)
class _Migration:
    """Apply the steps of class migrations to the namespaces, one after another."""

    current: dict[tuple[str, str], Namespace]
    target: UploadedClasses
    created: dict[str, str]
    """The kind of migration that made each class of the script."""
    rule: KeyValueRule

    def create(self, step: Step) -> None:
        wanted: Iterable[tuple[str, bool, str]] = (
            *((name, False, "new-class") for name in step.new_classes),
            *((name, True, "new-sqlite-class") for name in step.new_sqlite_classes),
        )
        script = self.target.script
        for name, use_sqlite, kind in wanted:
            if (script, name) in self.current:
                raise class_codes.class_exists(kind, name)
            if not use_sqlite and self.rule == "free":
                raise class_codes.needs_sqlite()
            if not use_sqlite and self.rule == "closed":
                raise class_codes.no_more_key_value()
            self.current[script, name] = Namespace(plain_id(), script, name, use_sqlite)
            self.created[name] = "new-class"

    def move(self, step: Step) -> None:
        script = self.target.script
        moves: Iterable[tuple[str, str, str, str]] = (
            *((script, item.from_class, item.to, "rename-class") for item in step.renamed_classes),
            *(
                (item.from_script, item.from_class, item.to, "transfer-class")
                for item in step.transferred_classes
            ),
        )
        for host, before, after, kind in moves:
            if (host, before) not in self.current:
                raise class_codes.class_unknown(kind, before)
            if (script, after) in self.current:
                raise class_codes.class_exists(kind, after)
            moved = self.current.pop((host, before))
            self.current[script, after] = replace(moved, script=script, class_name=after)
            self.created[after] = kind

    def delete(self, step: Step) -> None:
        target = self.target
        for name in step.deleted_classes:
            if (target.script, name) not in self.current:
                raise class_codes.class_unknown("delete-class", name)
            # Observed in workers-sdk#8210, executor#1193, tldraw#7834 and alchemy#799: live
            # bindings count as well as new ones, and a new binding counts by its class name alone.
            if name in target.bound | target.bound_before | target.bound_elsewhere:
                raise class_codes.deleted_class_is_bound(name)
            del self.current[target.script, name]
