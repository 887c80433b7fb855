"""Durable Object classes that are deleted, renamed or moved by one `up`, on the embedded one."""

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
COUNTING = """\
import { DurableObject } from "cloudflare:workers";
export class CLASS extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}
"""
ASKING = """\
export default {
  async fetch(request, { CARTS }) {
    const count = CARTS ? await CARTS.get(CARTS.idFromName("one")).add() : "no carts";
    return new Response(String(count));
  },
};
"""
BEGIN = {"tag": "v1", "newSqliteClasses": ["Cart"]}
OWN_CARTS = {"CARTS": {"className": "Cart"}}


def bound(script: str, name: str) -> dict[str, Any]:
    return {"type": "durable_object_namespace", "class_name": name, "script_name": script}


def client(name: str, **fields: object) -> dict[str, object]:
    secrets = {"TOKEN": {"generated": {}}}
    return {"source": f"worker_src/{name}/src/index.js", "secrets": secrets, **fields}


def arrange(project: Project, clients: dict[str, dict[str, object]], **classes: str) -> None:
    """Writes the clients; a class is exported by the client that it is given for."""
    write_clients(project, {"flowflare:clients": {"value": clients}})
    for name in clients:
        code = COUNTING.replace("CLASS", classes[name]) if name in classes else ""
        write(project, f"worker_src/{name}/src/index.js", code + ASKING)


@pytest.fixture
def shop(project: Project) -> Project:
    carts = client("carts", durableObjects=OWN_CARTS, classMigrations=[BEGIN])
    orders = client("orders", bindings={"CARTS": bound(CARTS, "Cart")})
    arrange(project, {"carts": carts, "orders": orders}, carts="Cart")
    project.stack().up()
    assert [count(project, "carts"), count(project, "orders")] == ["1", "2"]
    return project


def count(project: Project, name: str) -> str:
    urls = project.stack().outputs()["client_urls"]
    return httpx.get(urls[name], timeout=PATIENCE).raise_for_status().text


def namespaces(project: Project) -> dict[str, str]:
    found = project.account.get("/workers/durable_objects/namespaces")
    return {f"{one['script']}.{one['class']}": one["id"] for one in found}


def bindings(project: Project, script: str) -> set[str]:
    settings = project.account.get(f"/workers/scripts/{script}/settings")
    return {binding["name"] for binding in settings["bindings"]}


def remove_the_class(project: Project) -> None:
    carts = client("carts", classMigrations=[BEGIN, {"tag": "v2", "deletedClasses": ["Cart"]}])
    arrange(project, {"carts": carts, "orders": client("orders")})


@pytest.mark.long
def test_a_deletion_killed_before_each_call_goes_on_and_loses_no_other_binding(
    shop: Project,
) -> None:
    # With classes of its own, orders is updated after the deletion and unbound for it.
    own = {"ORDERS": {"className": "Order"}}
    first = {"tag": "v1", "newSqliteClasses": ["Order"]}
    carts = client("carts", durableObjects=OWN_CARTS, classMigrations=[BEGIN])
    orders = client("orders", durableObjects=own, classMigrations=[first])
    both = orders | {"bindings": {"CARTS": bound(CARTS, "Cart")}}
    arrange(shop, {"carts": carts, "orders": both}, carts="Cart", orders="Order")
    shop.stack().up()
    kept = {script: bindings(shop, script) - {"CARTS"} for script in (CARTS, ORDERS)}
    removed = client("carts", classMigrations=[BEGIN, {"tag": "v2", "deletedClasses": ["Cart"]}])
    arrange(shop, {"carts": removed, "orders": orders}, orders="Order")
    refused = {"kind": "answer", "status": 400, "code": 10021, "message": "refused by a test"}
    last = shop.account.last_request()
    for method, script, nth in (
        ("PATCH", ORDERS, 1),
        ("PATCH", CARTS, 1),
        ("PUT", CARTS, 1),
        ("PUT", CARTS, 2),
    ):
        rule = {"method": method, "path": f"*/scripts/{script}*", "nth": nth}
        with shop.account.fault(refused, **rule), pytest.raises(UpdateFailed):
            shop.stack().up()
        assert all(kept[one] <= bindings(shop, one) for one in kept)
    shop.stack().up()
    assert shop.account.writes(since=last).count(f"PATCH /workers/scripts/{ORDERS}/settings") == 2
    assert f"{CARTS}.Cart" not in namespaces(shop)
    assert {script: bindings(shop, script) for script in kept} == kept
    assert shop.stack().up().changed == 0


def test_a_class_is_deleted_after_who_is_bound_to_it_was_updated_even_if_answers_get_lost(
    shop: Project,
) -> None:
    remove_the_class(shop)
    lost, path = {"kind": "lose"}, f"*/scripts/{CARTS}*"
    last = shop.account.last_request()
    with (
        shop.account.fault(lost, method="PATCH", path=path, nth=1) as unbinding,
        shop.account.fault(lost, method="PUT", path=path, nth=1) as deletion,
    ):
        shop.stack().up()
        assert (unbinding.fired(), deletion.fired()) == (1, 1)
    assert shop.account.writes(since=last)[:5] == [
        f"PUT /workers/scripts/{ORDERS}",
        *[f"PATCH /workers/scripts/{CARTS}/settings"] * 2,
        *[f"PUT /workers/scripts/{CARTS}"] * 2,
    ]
    assert f"{CARTS}.Cart" not in namespaces(shop)
    assert [count(shop, "carts"), count(shop, "orders")] == ["no carts", "no carts"]
    assert shop.stack().up().changed == 0


def test_a_renamed_class_keeps_its_objects_for_everybody(shop: Project) -> None:
    identity = namespaces(shop)[f"{CARTS}.Cart"]
    renamed = {"tag": "v2", "renamedClasses": [{"from": "Cart", "to": "Basket"}]}
    own = {"CARTS": {"className": "Basket"}}
    carts = client("carts", durableObjects=own, classMigrations=[BEGIN, renamed])
    orders = client("orders", bindings={"CARTS": bound(CARTS, "Basket")})
    arrange(shop, {"carts": carts, "orders": orders}, carts="Basket")
    shop.stack().up()
    assert namespaces(shop)[f"{CARTS}.Basket"] == identity
    assert [count(shop, "carts"), count(shop, "orders")] == ["3", "4"]
    assert shop.stack().up().changed == 0


def test_a_class_that_moves_to_another_script_takes_its_objects_along(shop: Project) -> None:
    move_the_class(shop)
    shop.stack().up()
    assert {f"{CARTS}.Cart", f"{TROLLEYS}.Trolley"} & set(namespaces(shop)) == {
        f"{TROLLEYS}.Trolley"
    }
    assert [count(shop, "trolleys"), count(shop, "orders"), count(shop, "carts")] == ["3", "4", "5"]
    assert shop.stack().up().changed == 0
    shop.stack().destroy()
    assert shop.account.holds_nothing()


def test_a_new_stack_of_the_same_history_begins_with_nothing(project: Project) -> None:
    move_the_class(project)
    project.stack().up()
    assert f"{TROLLEYS}.Trolley" in namespaces(project)
    assert f"{CARTS}.Cart" not in namespaces(project)
    assert count(project, "carts") == "1"


def move_the_class(project: Project) -> None:
    moved = {"from": "Cart", "fromScript": "carts", "to": "Trolley"}
    step = {"tag": "v1", "transferredClasses": [moved]}
    everywhere = {"CARTS": bound(TROLLEYS, "Trolley")}
    clients = {
        "carts": client("carts", bindings=everywhere, classMigrations=[BEGIN]),
        "orders": client("orders", bindings=everywhere),
        "trolleys": client(
            "trolleys", durableObjects={"CARTS": {"className": "Trolley"}}, classMigrations=[step]
        ),
    }
    arrange(project, clients, trolleys="Trolley")


def test_what_loses_objects_is_refused_before_anything_is_sent(shop: Project) -> None:
    shop.edit("Pulumi.local.yaml", "protect: false", "protect: true")
    remove_the_class(shop)
    last = shop.account.last_request()
    with pytest.raises(UpdateFailed) as caught:
        shop.stack().up()
    assert "deletes Cart with all its objects, which protect stops" in str(caught.value)
    assert [one for one in shop.account.writes(since=last) if CARTS in one] == []
    reason = json.dumps({"flowflare-carts-class-migrations": "the shop is closed"})
    shop.configure(f"flowflare:allowDataLoss: {reason}")
    shop.stack().up()
    assert f"{CARTS}.Cart" not in namespaces(shop)
