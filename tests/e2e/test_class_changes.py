"""A single `up` can delete, rename or move Durable Object classes."""

import json
from typing import Any

import httpx
import pytest

from flowflare.errors import UpdateFailed
from tests.e2e.conftest import Project
from tests.e2e.shop import write, write_clients
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

CARTS, ORDERS, TROLLEYS = (f"local-flowflare-{name}" for name in ("carts", "orders", "trolleys"))
COUNTER_CLASS = """\
import { DurableObject } from "cloudflare:workers";
export class CLASS extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}
"""
WORKER = """\
export default {
  async fetch(request, { CARTS }) {
    const count = CARTS ? await CARTS.get(CARTS.idFromName("one")).add() : "no carts";
    return new Response(String(count));
  },
};
"""
CREATE_CART = {"tag": "v1", "newSqliteClasses": ["Cart"]}
OWN_CARTS = {"CARTS": {"className": "Cart"}}


def make_binding(script: str, name: str) -> dict[str, Any]:
    return {"type": "durable_object_namespace", "class_name": name, "script_name": script}


def make_client(name: str, **fields: object) -> dict[str, object]:
    secrets = {"TOKEN": {"generated": {}}}
    return {"source": f"worker_src/{name}/src/index.js", "secrets": secrets, **fields}


def write_shop(project: Project, clients: dict[str, dict[str, object]], **classes: str) -> None:
    """Write the clients; `classes` names the class that a client exports."""
    write_clients(project, {"flowflare:clients": {"value": clients}})
    for name in clients:
        code = COUNTER_CLASS.replace("CLASS", classes[name]) if name in classes else ""
        write(project, f"worker_src/{name}/src/index.js", code + WORKER)


@pytest.fixture
def shop(project: Project) -> Project:
    carts = make_client("carts", durableObjects=OWN_CARTS, classMigrations=[CREATE_CART])
    orders = make_client("orders", bindings={"CARTS": make_binding(CARTS, "Cart")})
    write_shop(project, {"carts": carts, "orders": orders}, carts="Cart")
    project.open_stack().up()
    assert [add_to_cart(project, "carts"), add_to_cart(project, "orders")] == ["1", "2"]
    return project


def add_to_cart(project: Project, name: str) -> str:
    urls = project.open_stack().outputs()["client_urls"]
    return httpx.get(urls[name], timeout=PATIENCE).raise_for_status().text


def list_namespaces(project: Project) -> dict[str, str]:
    namespaces = project.account.get("/workers/durable_objects/namespaces")
    return {f"{each['script']}.{each['class']}": each["id"] for each in namespaces}


def list_bindings(project: Project, script: str) -> set[str]:
    settings = project.account.get(f"/workers/scripts/{script}/settings")
    return {binding["name"] for binding in settings["bindings"]}


def remove_the_class(project: Project) -> None:
    carts = make_client(
        "carts", classMigrations=[CREATE_CART, {"tag": "v2", "deletedClasses": ["Cart"]}]
    )
    write_shop(project, {"carts": carts, "orders": make_client("orders")})


@pytest.mark.long
def test_a_deletion_killed_before_each_call_resumes_and_loses_no_other_binding(
    shop: Project,
) -> None:
    # As orders has its own class, it is updated after the deletion, and must be unbound before it.
    own = {"ORDERS": {"className": "Order"}}
    first = {"tag": "v1", "newSqliteClasses": ["Order"]}
    carts = make_client("carts", durableObjects=OWN_CARTS, classMigrations=[CREATE_CART])
    orders = make_client("orders", durableObjects=own, classMigrations=[first])
    both = orders | {"bindings": {"CARTS": make_binding(CARTS, "Cart")}}
    write_shop(shop, {"carts": carts, "orders": both}, carts="Cart", orders="Order")
    shop.open_stack().up()
    kept = {script: list_bindings(shop, script) - {"CARTS"} for script in (CARTS, ORDERS)}
    removed = make_client(
        "carts", classMigrations=[CREATE_CART, {"tag": "v2", "deletedClasses": ["Cart"]}]
    )
    write_shop(shop, {"carts": removed, "orders": orders}, orders="Order")
    refused = {"kind": "answer", "status": 400, "code": 10021, "message": "refused by a test"}
    last = shop.account.find_last_request()
    for method, script, nth in (
        ("PATCH", ORDERS, 1),
        ("PATCH", CARTS, 1),
        ("PUT", CARTS, 1),
        ("PUT", CARTS, 2),
    ):
        rule = {"method": method, "path": f"*/scripts/{script}*", "nth": nth}
        with shop.account.inject_fault(refused, **rule), pytest.raises(UpdateFailed):
            shop.open_stack().up()
        assert all(kept[script] <= list_bindings(shop, script) for script in kept)
    shop.open_stack().up()
    assert (
        shop.account.list_writes(since=last).count(f"PATCH /workers/scripts/{ORDERS}/settings") == 2
    )
    assert f"{CARTS}.Cart" not in list_namespaces(shop)
    assert {script: list_bindings(shop, script) for script in kept} == kept
    assert shop.open_stack().up().changed == 0


def test_a_class_is_deleted_after_the_scripts_bound_to_it_are_updated_even_if_answers_are_lost(
    shop: Project,
) -> None:
    remove_the_class(shop)
    lost, path = {"kind": "lose"}, f"*/scripts/{CARTS}*"
    last = shop.account.find_last_request()
    with (
        shop.account.inject_fault(lost, method="PATCH", path=path, nth=1) as unbinding,
        shop.account.inject_fault(lost, method="PUT", path=path, nth=1) as deletion,
    ):
        shop.open_stack().up()
        assert (unbinding.count_fired(), deletion.count_fired()) == (1, 1)
    assert shop.account.list_writes(since=last)[:5] == [
        f"PUT /workers/scripts/{ORDERS}",
        *[f"PATCH /workers/scripts/{CARTS}/settings"] * 2,
        *[f"PUT /workers/scripts/{CARTS}"] * 2,
    ]
    assert f"{CARTS}.Cart" not in list_namespaces(shop)
    assert [add_to_cart(shop, "carts"), add_to_cart(shop, "orders")] == ["no carts", "no carts"]
    assert shop.open_stack().up().changed == 0


def test_a_renamed_class_keeps_its_objects_for_every_script(shop: Project) -> None:
    identity = list_namespaces(shop)[f"{CARTS}.Cart"]
    renamed = {"tag": "v2", "renamedClasses": [{"from": "Cart", "to": "Basket"}]}
    own = {"CARTS": {"className": "Basket"}}
    carts = make_client("carts", durableObjects=own, classMigrations=[CREATE_CART, renamed])
    orders = make_client("orders", bindings={"CARTS": make_binding(CARTS, "Basket")})
    write_shop(shop, {"carts": carts, "orders": orders}, carts="Basket")
    shop.open_stack().up()
    assert list_namespaces(shop)[f"{CARTS}.Basket"] == identity
    assert [add_to_cart(shop, "carts"), add_to_cart(shop, "orders")] == ["3", "4"]
    assert shop.open_stack().up().changed == 0


def test_a_class_that_moves_to_another_script_keeps_its_objects(shop: Project) -> None:
    move_the_class(shop)
    shop.open_stack().up()
    assert {f"{CARTS}.Cart", f"{TROLLEYS}.Trolley"} & set(list_namespaces(shop)) == {
        f"{TROLLEYS}.Trolley"
    }
    assert [
        add_to_cart(shop, "trolleys"),
        add_to_cart(shop, "orders"),
        add_to_cart(shop, "carts"),
    ] == ["3", "4", "5"]
    assert shop.open_stack().up().changed == 0
    shop.open_stack().destroy()
    assert shop.account.is_empty()


def test_a_new_stack_with_the_same_migrations_starts_without_objects(project: Project) -> None:
    move_the_class(project)
    project.open_stack().up()
    assert f"{TROLLEYS}.Trolley" in list_namespaces(project)
    assert f"{CARTS}.Cart" not in list_namespaces(project)
    assert add_to_cart(project, "carts") == "1"


def move_the_class(project: Project) -> None:
    moved = {"from": "Cart", "fromScript": "carts", "to": "Trolley"}
    step = {"tag": "v1", "transferredClasses": [moved]}
    everywhere = {"CARTS": make_binding(TROLLEYS, "Trolley")}
    clients = {
        "carts": make_client("carts", bindings=everywhere, classMigrations=[CREATE_CART]),
        "orders": make_client("orders", bindings=everywhere),
        "trolleys": make_client(
            "trolleys", durableObjects={"CARTS": {"className": "Trolley"}}, classMigrations=[step]
        ),
    }
    write_shop(project, clients, trolleys="Trolley")


def test_a_change_that_loses_objects_is_refused_before_a_request_is_sent(shop: Project) -> None:
    shop.edit("Pulumi.local.yaml", "protect: false", "protect: true")
    remove_the_class(shop)
    last = shop.account.find_last_request()
    with pytest.raises(UpdateFailed) as caught:
        shop.open_stack().up()
    assert "deletes Cart with all its objects, which protection prevents" in str(caught.value)
    writes = shop.account.list_writes(since=last)
    assert [write for write in writes if CARTS in write] == []
    reason = json.dumps({"flowflare-carts-class-migrations": "the shop is closed"})
    shop.configure(f"flowflare:allowDataLoss: {reason}")
    shop.open_stack().up()
    assert f"{CARTS}.Cart" not in list_namespaces(shop)
