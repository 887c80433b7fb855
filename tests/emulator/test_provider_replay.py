"""Resources of the Terraform provider converge: what it reads is what its configuration says."""

import pytest

from tests.emulator.emulated import HELLO, Account
from tests.support.provider_replay import Kind, planned_changes, replay

pytestmark = pytest.mark.workerd

D1 = Kind(
    create="POST /d1/database",
    read="GET /d1/database/{uuid}",
    delete="DELETE /d1/database/{uuid}",
    unread=frozenset({"primary_location_hint"}),
    optional=frozenset({"jurisdiction"}),
)
R2 = Kind(
    create="POST /r2/buckets",
    read="GET /r2/buckets/{name}",
    delete="DELETE /r2/buckets/{name}",
    unread=frozenset({"locationHint", "storageClass"}),
)
DOMAIN = Kind(
    create="PUT /workers/domains",
    read="GET /workers/domains/{id}",
    delete="DELETE /workers/domains/{id}",
)
WORKFLOW = Kind(
    create="PUT /workflows/{workflow_name}",
    read="GET /workflows/{workflow_name}",
    update="PUT /workflows/{workflow_name}",
    delete="DELETE /workflows/{workflow_name}",
    optional=frozenset({"schedules"}),
    unread=frozenset({"concurrency", "default_retention", "limits"}),
    placed=frozenset({"workflow_name"}),
)


def test_a_database_and_a_bucket_converge(account: Account) -> None:
    replay(account, D1, {"name": "d"})
    replay(account, R2, {"name": "abucket", "locationHint": "weur"})


def test_a_custom_domain_converges(account: Account) -> None:
    account.put("w", HELLO)
    zone = account.call("GET", "/workers/domains")
    assert zone == []
    domain = {"hostname": "shop.example.com", "service": "w", "environment": "production"}
    replay(account, DOMAIN, domain | {"zone_id": "9" * 32})


def test_a_workflow_converges_though_its_class_is_not_exported(account: Account) -> None:
    for script in ("one", "two"):
        account.put(script, HELLO)
    flow = {"workflow_name": "flow", "script_name": "one", "class_name": "Later"}
    replay(account, WORKFLOW, flow, then=flow | {"script_name": "two", "class_name": "Other"})


def test_a_value_that_the_configuration_does_not_give_is_a_change() -> None:
    kind = Kind("", "", optional=frozenset({"observability", "observability.logs"}))
    assert list(planned_changes(kind, {"a": 1}, {"a": 1, "observability": None})) == []
    found = planned_changes(kind, {"a": 1}, {"a": 2, "observability": {"enabled": False}})
    assert list(found) == ["a: 2 -> 1", "observability: {'enabled': False} -> null"]
    nested = {"observability": {"enabled": True}}
    answered = {"observability": {"enabled": True, "logs": {}}}
    assert list(planned_changes(kind, nested, answered)) == ["observability.logs: {} -> null"]
