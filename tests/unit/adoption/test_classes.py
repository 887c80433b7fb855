"""Live class migrations compared with the program's, and the message for those that differ."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from flowflare.api import Client
from flowflare.engine.embedded.providers.recorded import RecordedType
from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.durable_object_migrations.adopt import find
from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration, to_wire

TYPE = "pulumi-python:dynamic/flowflare:DurableObjectMigrations"
CARTS = (
    ClassMigration(tag="v1", new_sqlite_classes=("Cart",)),
    ClassMigration(tag="v2", new_sqlite_classes=("Order",)),
)


class Lists:
    """An account with one script `shop`."""

    def __init__(self, tag: str | None, classes: Sequence[str], *, sqlite: bool = True) -> None:
        self._script = {"id": "shop", "migration_tag": tag}
        self._spaces = [{"script": "shop", "class": name, "use_sqlite": sqlite} for name in classes]

    def call(self, method: str, path: str, *, query: Mapping[str, str] | None = None) -> Any:
        assert method == "GET"
        return [self._script] if path.endswith("/scripts") else self._spaces


def look(
    lists: Lists, history: Sequence[ClassMigration], name: str = "shop"
) -> tuple[Thing | None, Findings]:
    inputs = {"account_id": "a", "script_name": name, "history": to_wire(history)}
    account, findings = Account(cast("Client", lists), "a"), Findings()
    wanted = Wanted("x", TYPE, (), inputs, RecordedType(TYPE, ()))
    return find(wanted, account, findings), findings


@pytest.mark.parametrize(
    ("tag", "classes", "steps"), [(None, [], 0), ("v1", ["Cart"], 1), ("v2", ["Cart", "Order"], 2)]
)
def test_state_gets_the_class_migrations_that_are_live(
    tag: str | None, classes: list[str], steps: int
) -> None:
    thing, findings = look(Lists(tag, classes), CARTS)
    assert thing is not None
    assert (len(thing.inputs["history"]), thing.outputs["migration_tag"]) == (steps, tag or "")
    assert bool(thing.differences) == (steps < 2)
    assert not findings.refusals


def test_a_script_that_does_not_exist_is_missing() -> None:
    thing, findings = look(Lists("v1", ["Cart"]), CARTS, "another")
    assert (thing, findings.refusals) == (None, [])


@pytest.mark.parametrize(
    ("lists", "history", "said"),
    [
        (Lists("v9", ["Cart", "Old"]), CARTS, "{tag: v9, newSqliteClasses: [Cart, Old]}"),
        (Lists("v9", ["Cart"], sqlite=False), CARTS, "Cart has key-value storage"),
        (Lists(None, ["Cart"]), CARTS, "declares its Durable Objects as `exports`"),
        (Lists("v2", ["Cart"]), CARTS, "has no namespace of it"),
        (Lists("v9", ["Other"]), SERVICE_HISTORY, "instead of WorkflowTracker"),
    ],
)
def test_class_migrations_that_do_not_fit_are_refused_with_a_reason(
    lists: Lists, history: Sequence[ClassMigration], said: str
) -> None:
    thing, findings = look(lists, history)
    assert thing is None or findings.refusals
    assert said in "".join(findings.refusals)


def test_the_services_migration_under_another_tag_is_recognised() -> None:
    _, findings = look(Lists("flowflare-v1", ["WorkflowTracker"]), SERVICE_HISTORY)
    assert (findings.tag, findings.refusals) == ("flowflare-v1", [])


def test_a_class_with_key_value_storage_is_reported() -> None:
    _, findings = look(Lists("v1", ["Cart"], sqlite=False), CARTS)
    assert "key-value storage" in "".join(findings.notes)
