"""The ledger of Durable Object classes: what class migrations do, and when they are refused.

A namespace keeps its id when its class is renamed or moves to another script: the id is where its
data lies. Bindings of other scripts go along.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from flowflare.emulator import codes
from flowflare.emulator.clock import plain_id
from flowflare.emulator.services.scripts.upload import Migrations, Step

Binding = Mapping[str, Any]

KeyValueRule = Literal["allowed", "free", "closed"]


@dataclass(frozen=True)
class Namespace:
    """A class that has been made a Durable Object."""

    id: str
    script: str
    class_name: str
    use_sqlite: bool


@dataclass(frozen=True)
class Target:
    """The version that is being uploaded, as far as classes matter."""

    script: str
    exported: frozenset[str]
    bound: frozenset[str]
    """Classes that its new bindings use, whichever script has them."""
    bound_before: frozenset[str]
    """Classes of this script that its live bindings use."""
    bound_elsewhere: frozenset[str]
    """Classes of this script that other scripts' bindings use."""


Ledger = Mapping[tuple[str, str], Namespace]


def migrate(
    ledger: Ledger, target: Target, live_tag: str | None, migrations: Migrations, rule: KeyValueRule
) -> dict[tuple[str, str], Namespace]:
    """Applies class migrations.

    Args:
        ledger: the account's namespaces by (script, class).
        target: the version being uploaded.
        live_tag: the tag the script has now.
        migrations: what the upload asks for.
        rule: whether the account may make key-value classes.

    Returns:
        the ledger as it will be.

    Raises:
        Refusal: 10079, 10070, 10074, 10061, 10097 or 10099.
    """
    given, live = migrations.old_tag or "", live_tag or ""
    if given != live:
        raise codes.tag_mismatch(given, live)
    current = dict(ledger)
    made: dict[str, str] = {}
    for step in migrations.all_steps():
        _refuse_twice(step)
        _create(current, step, target, made, rule)
        _rename(current, step, target, made)
        _transfer(current, step, target, made)
        _delete(current, step, target)
    for name, kind in made.items():
        if (target.script, name) in current and name not in target.exported:
            raise codes.new_class_not_exported(kind, name)
    return current


def forwarded(binding: Binding, script: str, before: Ledger, after: Ledger) -> Binding:
    """A live binding of a script as it is after class migrations of another one.

    It goes on to the same objects, whatever their class and script are called now.

    Args:
        binding: the binding.
        script: the script that has the binding.
        before: the ledger until now.
        after: the ledger from now on.
    """
    host = str(binding.get("script_name") or script)
    found = before.get((host, str(binding.get("class_name"))))
    if binding.get("type") != "durable_object_namespace" or found is None:
        return binding
    now = next((each for each in after.values() if each.id == found.id), found)
    if (now.script, now.class_name) == (found.script, found.class_name):
        return binding
    kept = {key: value for key, value in binding.items() if key != "script_name"}
    moved = {} if now.script == script else {"script_name": now.script}
    return {**kept, **moved, "class_name": now.class_name}


def refuse_lost_classes(ledger: Ledger, script: str, exported: Collection[str]) -> None:
    """Refuses a version without a class that has Durable Objects (10064)."""
    for owner, name in ledger:
        if owner == script and name not in exported:
            raise codes.class_still_used(name)


def _refuse_twice(step: Step) -> None:
    named = [
        *step.new_classes,
        *step.new_sqlite_classes,
        *step.deleted_classes,
        *(each.to for each in step.renamed_classes),
        *(each.to for each in step.transferred_classes),
    ]
    for name in named:
        if named.count(name) > 1:
            raise codes.class_twice(name)


def _create(
    current: dict[tuple[str, str], Namespace],
    step: Step,
    target: Target,
    made: dict[str, str],
    rule: KeyValueRule,
) -> None:
    wanted: Iterable[tuple[str, bool, str]] = (
        *((name, False, "new-class") for name in step.new_classes),
        *((name, True, "new-sqlite-class") for name in step.new_sqlite_classes),
    )
    for name, use_sqlite, kind in wanted:
        if (target.script, name) in current:
            raise codes.class_exists(kind, name)
        if not use_sqlite and rule == "free":
            raise codes.needs_sqlite()
        if not use_sqlite and rule == "closed":
            raise codes.no_more_key_value()
        current[target.script, name] = Namespace(plain_id(), target.script, name, use_sqlite)
        made[name] = "new-class"


def _rename(
    current: dict[tuple[str, str], Namespace], step: Step, target: Target, made: dict[str, str]
) -> None:
    for each in step.renamed_classes:
        _take(current, (target.script, each.from_class), (target.script, each.to), "rename-class")
        made[each.to] = "rename-class"


def _transfer(
    current: dict[tuple[str, str], Namespace], step: Step, target: Target, made: dict[str, str]
) -> None:
    for each in step.transferred_classes:
        source = (each.from_script, each.from_class)
        _take(current, source, (target.script, each.to), "transfer-class")
        made[each.to] = "transfer-class"


def _take(
    current: dict[tuple[str, str], Namespace],
    source: tuple[str, str],
    destination: tuple[str, str],
    kind: str,
) -> None:
    if source not in current:
        raise codes.class_unknown(kind, source[1])
    if destination in current:
        raise codes.class_exists(kind, destination[1])
    script, name = destination
    current[destination] = replace(current.pop(source), script=script, class_name=name)


def _delete(current: dict[tuple[str, str], Namespace], step: Step, target: Target) -> None:
    for name in step.deleted_classes:
        if (target.script, name) not in current:
            raise codes.class_unknown("delete-class", name)
        # Seen in workers-sdk#8210, executor#1193, tldraw#7834 and alchemy#799: the live bindings
        # count as well as the new ones, and of the new ones the class's name alone.
        if name in target.bound | target.bound_before | target.bound_elsewhere:
            raise codes.deleted_class_is_bound(name)
        del current[target.script, name]
