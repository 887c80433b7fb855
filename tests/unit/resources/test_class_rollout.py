"""What is sent to roll out class migrations, and what is refused first, with an API in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from flowflare.api import Client, Part
from flowflare.errors import ApiError, ClassMigrationError
from flowflare.kinds.durable_object_migrations.class_rollout import ScriptUpload, bring_up
from flowflare.model.class_migrations import ClassMigration, from_wire
from flowflare.resources.providers import DurableObjectMigrationsProvider

Binding = dict[str, Any]
ACCOUNT = "f" * 32
SERVICE = {"type": "service", "name": "WORKFLOW_SERVICE", "service": "dev-flowflare-service"}
SECRET = {"type": "secret_text", "name": "TOKEN"}
V1 = {"tag": "v1", "new_sqlite_classes": ["Cart", "Stock"]}
DELETE = {"tag": "v2", "deleted_classes": ["Cart"]}
MOVE = {
    "tag": "v1",
    "transferred_classes": [{"from": "Cart", "from_script": "carts", "to": "Trolley"}],
}


def own(name: str, class_name: str, script: str | None = None) -> Binding:
    binding = {"type": "durable_object_namespace", "name": name, "class_name": class_name}
    return binding | ({"script_name": script} if script else {})


@dataclass
class Account:
    """Scripts with tag and settings, namespaces and references; records what is written."""

    tags: dict[str, str] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    namespaces: list[dict[str, Any]] = field(default_factory=list)
    references: list[dict[str, str]] = field(default_factory=list)
    written: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    refusal: ApiError | None = None

    def call(
        self, method: str, path: str, *, parts: tuple[Part, ...] = (), query: object = None
    ) -> Any:
        del query
        name = path.split("/workers/")[1].split("/")[1]
        if method != "GET":
            if self.refusal:
                raise self.refusal
            self.written.append((method, name, json.loads(parts[0].content)))
            return None
        if "/namespaces" in path:
            return self.namespaces
        if "/references" in path:
            return {"durable_objects": self.references}
        if "/services/" in path:
            if name not in self.tags:
                raise ApiError("no such script", status=404)
            return {"default_environment": {"script": {"migration_tag": self.tags[name]}}}
        return self.settings[name]

    def has(self, script: str, *classes: str, use_sqlite: bool = True) -> None:
        self.namespaces += [
            {"id": f"id-{name}", "class": name, "script": script, "use_sqlite": use_sqlite}
            for name in classes
        ]


def live(tag: str = "v1", bindings: tuple[Binding, ...] = (SERVICE, SECRET)) -> Account:
    account = Account({"carts": tag}, {"carts": {"bindings": list(bindings)}})
    account.has("carts", "Cart", "Stock")
    return account


def upload(*steps: Mapping[str, Any], name: str = "carts", **more: Any) -> ScriptUpload:
    return ScriptUpload(
        account_id=ACCOUNT,
        script_name=name,
        bindings=(SERVICE,),
        main_module="worker.js",
        modules=(Part("worker.js", "export default {};", "text/javascript"),),
        compatibility_date="2026-11-01",
        compatibility_flags=(),
        history=history(*steps),
        scripts=("carts", "orders", "trolleys"),
        **more,
    )


def history(*steps: Mapping[str, Any]) -> tuple[ClassMigration, ...]:
    return from_wire(steps)


def run(account: Account, wanted: ScriptUpload, *, made_by_us: bool = True) -> None:
    bring_up(cast(Client, account), wanted, made_by_us=made_by_us)


def find_refusal(account: Account, wanted: ScriptUpload, *, made_by_us: bool = True) -> str:
    with pytest.raises(ClassMigrationError) as caught:
        run(account, wanted, made_by_us=made_by_us)
    assert caught.value.remedy
    assert account.written == []
    return caught.value.message


def test_a_class_is_unbound_everywhere_before_it_is_deleted() -> None:
    bindings = (SERVICE, SECRET, own("CARTS", "Cart"), own("STOCK", "Stock"))
    account = live(bindings=bindings)
    account.settings["orders"] = {"bindings": [own("CARTS", "Cart", "carts"), SECRET]}
    account.references = [
        {"service": "orders", "name": "CARTS", "durable_object_namespace_id": "id-Cart"},
        {"service": "else", "name": "STOCK", "durable_object_namespace_id": "id-Stock"},
    ]
    run(account, upload(V1, DELETE, allow_data_loss="closed"))
    inherited = [{"type": "inherit", "name": each["name"]} for each in (SERVICE, SECRET)]
    stock = {"type": "inherit", "name": "STOCK"}
    assert account.written[:2] == [
        ("PATCH", "orders", {"bindings": inherited[1:]}),
        ("PATCH", "carts", {"bindings": [*inherited, stock]}),
    ]
    method, name, metadata = account.written[2]
    assert (method, name, metadata["bindings"]) == ("PUT", "carts", [*inherited, stock])
    assert metadata["migrations"] == {
        "old_tag": "v1",
        "new_tag": "v2",
        "steps": [{"deleted_classes": ["Cart"]}],
    }


def test_a_binding_to_the_same_class_name_of_another_script_is_kept() -> None:
    account = live(bindings=(SERVICE, own("CARTS", "Cart", "trolleys")))
    run(account, upload(V1, DELETE, allow_data_loss="moved"))
    [(_, _, metadata)] = account.written
    assert metadata["bindings"] == [{"type": "inherit", "name": "WORKFLOW_SERVICE"}]


def test_bindings_follow_a_renamed_class_and_settings_stay() -> None:
    account = live(bindings=(SERVICE, own("CARTS", "Cart")))
    account.settings["carts"] |= {
        "limits": {"cpu_ms": 50},
        "placement": {"mode": "smart", "status": "SUCCESS"},
        "logpush": True,
    }
    rename = {"tag": "v2", "renamed_classes": [{"from": "Cart", "to": "Basket"}]}
    run(account, upload(V1, rename))
    [(_, _, metadata)] = account.written
    assert metadata["bindings"] == [
        {"type": "inherit", "name": "WORKFLOW_SERVICE"},
        own("CARTS", "Basket"),
    ]
    assert (metadata["limits"], metadata["logpush"]) == ({"cpu_ms": 50}, True)
    assert metadata["placement"] == {"mode": "smart"}
    assert "observability" not in metadata


def test_a_class_that_scripts_outside_of_the_stack_bind_is_not_deleted() -> None:
    account = live()
    reference = {"service": "reports", "name": "C", "durable_object_namespace_id": "id-Cart"}
    account.references = [reference]
    assert find_refusal(account, upload(V1, DELETE, allow_data_loss="closed")) == (
        "carts: Cart cannot be deleted while scripts outside of this stack are bound to it: "
        "reports (as C)"
    )


def test_objects_are_not_lost_without_a_reason_whatever_the_state_says() -> None:
    message = find_refusal(live(), upload(V1, DELETE))
    assert message == "carts: deleting Cart deletes its objects' data"


def test_a_class_never_changes_its_storage_backend() -> None:
    account = Account({"carts": "v1"}, {"carts": {"bindings": [SERVICE]}})
    account.has("carts", "Cart", use_sqlite=False)
    more = {"tag": "v2", "new_sqlite_classes": ["More"]}
    assert find_refusal(account, upload(V1, more)) == (
        "carts: the live class Cart has key-value storage, and the history says SQLite"
    )


def test_a_script_that_declares_exports_is_not_touched() -> None:
    words = "it declares its Durable Objects as `exports`, as newer wranglers do"
    account = live(tag="")
    message = find_refusal(account, upload(V1), made_by_us=False)
    assert message == f"carts: it has Cart, Stock and no class migration tag: {words}"
    account = live()
    account.refusal = ApiError("HTTP 400", status=400, codes=[100402])
    message = find_refusal(account, upload(V1, {"tag": "v2", "new_sqlite_classes": ["More"]}))
    assert message == f"carts: HTTP 400: {words}"


def test_an_existing_client_without_classes_is_recognised_by_its_service() -> None:
    account = Account({"carts": ""}, {"carts": {"bindings": [SERVICE, SECRET]}})
    run(account, upload(V1), made_by_us=False)
    [(_, _, metadata)] = account.written
    assert metadata["migrations"]["steps"] == [{"new_sqlite_classes": ["Cart", "Stock"]}]
    stranger = Account({"carts": ""}, {"carts": {"bindings": [SECRET]}})
    message = find_refusal(stranger, upload(V1), made_by_us=False)
    assert message == "carts: a script of that name exists, and this stack did not create it"


def test_a_transfer_moves_existing_objects_and_starts_empty_in_a_new_stack() -> None:
    account = live()
    run(account, upload(MOVE, name="trolleys"), made_by_us=False)
    assert account.written[0][2]["migrations"]["steps"] == [
        {"transferred_classes": [{"from": "Cart", "from_script": "carts", "to": "Trolley"}]}
    ]
    fresh = Account()
    run(fresh, upload(MOVE, name="trolleys"), made_by_us=False)
    assert fresh.written[0][2]["migrations"]["steps"] == [{"new_sqlite_classes": ["Trolley"]}]
    run(fresh, upload(V1, taken={"Cart": "trolleys"}), made_by_us=False)
    assert fresh.written[1][2]["migrations"]["steps"] == [{"new_sqlite_classes": ["Stock"]}]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("carts", "trolleys: the script carts has no Durable Object class Cartt, only Cart, Stock"),
        (
            "cart",
            "trolleys: the script cart with the Durable Object class Cartt does not exist",
        ),
    ],
)
def test_a_transfer_without_a_source_does_not_start_empty(source: str, message: str) -> None:
    moved = {"from": "Cartt", "from_script": source, "to": "Trolley"}
    wrong = upload({"tag": "v1", "transferred_classes": [moved]}, name="trolleys")
    assert find_refusal(live(), wrong, made_by_us=False) == message


def check(old: list[Mapping[str, Any]], new: list[Mapping[str, Any]], **more: Any) -> list[str]:
    olds = {"account_id": ACCOUNT, "script_name": "carts", "history": old}
    news = olds | {"history": new} | more
    provider = DurableObjectMigrationsProvider()
    return [
        f"{failure.property}: {failure.reason}" for failure in provider.check(olds, news).failures
    ]


def test_check_refuses_a_deletion_until_a_reason_is_given() -> None:
    assert check([V1], [V1, DELETE]) == [
        "history: the class migration 'v2' deletes Cart with all its objects, which protection "
        "prevents. If this is intended, name this resource in flowflare:allowDataLoss and say why"
    ]
    assert check([V1], [V1, DELETE], allow_data_loss="closed") == []
    both = [V1, {"tag": "v2", "new_sqlite_classes": ["A"]}, {"tag": "v3", "deleted_classes": ["A"]}]
    assert check([V1], list(both)) == []


def test_a_class_moved_by_hand_is_refused_with_what_to_write() -> None:
    [problem] = check([V1], [V1, DELETE], begun={"Cart": "trolleys"})
    assert problem == (
        "history: the class migration 'v2' deletes Cart with all its objects, which protection "
        "prevents. The script trolleys creates a class Cart with no objects. To move the objects "
        "there, write transferredClasses: [{from: Cart, fromScript: carts, to: Cart}] there and no "
        "deletedClasses here. If this is intended, name this resource in flowflare:allowDataLoss "
        "and say why"
    )


def test_a_script_with_objects_cannot_be_renamed() -> None:
    assert check([V1], [V1], script_name="shop") == [
        "script_name: the objects of Cart, Stock belong to the script carts and would not move "
        "to shop, which protection prevents. Keep the name carts: write it into flowflare:names "
        "(under clients, or as service). If the objects may be lost, name this resource in "
        "flowflare:allowDataLoss and say why"
    ]
    assert check([V1], [V1], script_name="shop", allow_data_loss="new shop") == []
    deleted_all = [V1, {"tag": "v2", "deleted_classes": ["Cart", "Stock"]}]
    assert check(list(deleted_all), list(deleted_all), script_name="shop") == []
