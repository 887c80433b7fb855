"""A creation whose answer a run never received becomes a resource of the deployment."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from flowflare.engine.pulumi_cli.adopt import (
    Found,
    add_resource,
    pending_creations,
    settle_creations,
)
from flowflare.engine.pulumi_cli.lost_answers import AccountSearch, is_name_taken
from flowflare.engine.pulumi_cli.state import from_export
from flowflare.errors import SecretError
from flowflare.kinds import d1_database
from tests.engine.fake_cloudflare import ACCOUNT, TIME, TOKEN, FakeCloudflare

STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
PROVIDER = "urn:pulumi:dev::p::pulumi:providers:cloudflare::default_6_23_1"
D1_DATABASE = d1_database.KIND.type
DATABASE = f"urn:pulumi:dev::p::{D1_DATABASE}::db"
SCRIPT_TYPE = "cloudflare:index/workersScript:WorkersScript"
SEALED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
MADE_AT = datetime.fromisoformat(TIME)


def make_record(**more: Any) -> dict[str, Any]:
    return {
        "urn": DATABASE,
        "custom": True,
        "type": D1_DATABASE,
        "inputs": {"accountId": ACCOUNT, "name": "shop-runs"},
        "parent": STACK,
        "provider": f"{PROVIDER}::7d1c",
        **more,
    }


def make_deployment(*resources: dict[str, Any], pending: tuple[dict[str, Any], ...] = ()) -> Any:
    stack = {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"}
    provider = {
        "urn": PROVIDER,
        "custom": True,
        "type": "pulumi:providers:cloudflare",
        "id": "7d1c",
    }
    return {
        "manifest": {"time": TIME, "magic": "", "version": ""},
        "resources": [stack, provider, *resources],
        "pending_operations": [{"resource": record, "type": "creating"} for record in pending],
    }


def test_a_pending_creation_that_is_found_becomes_a_resource() -> None:
    before = make_deployment(pending=(make_record(),))
    text = json.dumps(before)
    after = settle_creations(
        before, {DATABASE: Found("id-1", {"uuid": "id-1", "version": "production"})}
    )
    assert json.dumps(before) == text, "the argument is not changed"
    assert "pending_operations" not in after
    record = after["resources"][-1]
    assert record["id"] == "id-1"
    assert record["outputs"] == {
        "uuid": "id-1",
        "version": "production",
        "accountId": ACCOUNT,
        "name": "shop-runs",
    }
    read = from_export({"version": 3, "deployment": after})
    assert [resource.name for resource in read.resources][-1] == "db"
    assert read.pending == ()


def test_a_creation_that_left_nothing_is_no_longer_pending() -> None:
    after = settle_creations(make_deployment(pending=(make_record(),)), {DATABASE: None})
    assert "pending_operations" not in after
    assert len(after["resources"]) == 2


def test_other_operations_and_unanswered_creations_stay_pending() -> None:
    before = make_deployment(make_record(id="id-1"), pending=(make_record(urn=f"{DATABASE}2"),))
    before["pending_operations"].append({"resource": make_record(id="id-1"), "type": "updating"})
    after = settle_creations(before, {})
    assert [each["type"] for each in after["pending_operations"]] == ["creating", "updating"]
    assert len(pending_creations(before)) == 1


@pytest.mark.parametrize("is_deleted", [False, True])
def test_the_replaced_resource_is_still_to_be_deleted_unless_it_is_deleted_already(
    is_deleted: bool,
) -> None:
    old = make_record(id="old", **({"pendingReplacement": True} if is_deleted else {}))
    after = settle_creations(
        make_deployment(old, pending=(make_record(),)), {DATABASE: Found("new")}
    )
    assert [(record["id"], record.get("delete")) for record in after["resources"][2:]] == [
        *([] if is_deleted else [("old", True)]),
        ("new", None),
    ]


def test_an_incomplete_resource_is_updated_by_the_next_up() -> None:
    after = add_resource(make_deployment(), make_record(), Found("id-1", complete=False))
    assert after["resources"][-1]["initErrors"] == ["its creation was interrupted"]


def test_encrypted_secrets_stay_encrypted() -> None:
    sealed = {**SEALED, "ciphertext": "v1:abc"}
    script = {"urn": "urn:pulumi:dev::p::x::s", "type": SCRIPT_TYPE, "inputs": {"bindings": sealed}}
    record = add_resource(make_deployment(), script, Found("s"))["resources"][-1]
    assert record["inputs"]["bindings"] == record["outputs"]["bindings"] == sealed


def create_database(cloudflare: FakeCloudflare, **more: Any) -> None:
    row = {"uuid": "id-1", "name": "shop-runs", "created_at": TIME, "num_tables": 0, **more}
    cloudflare.world.databases["id-1"] = row


def test_an_interrupted_database_is_found_by_its_exact_name(cloudflare: FakeCloudflare) -> None:
    account = AccountSearch(cloudflare.base_url, TOKEN)
    assert account.made_by(make_record()) is None
    create_database(cloudflare, name="shop-runs-2")
    assert account.made_by(make_record()) is None
    create_database(cloudflare)
    found = account.made_by(make_record())
    assert found is not None
    assert (found.id, found.complete, found.outputs["uuid"]) == ("id-1", True, "id-1")
    assert cloudflare.list_writes() == []


def test_a_database_with_tables_is_not_the_interrupted_creation(
    cloudflare: FakeCloudflare,
) -> None:
    create_database(cloudflare, num_tables=4)
    assert AccountSearch(cloudflare.base_url, TOKEN).made_by(make_record()) is None


@pytest.mark.parametrize(("after", "is_ours"), [(timedelta(0), True), (timedelta(hours=1), False)])
def test_a_database_of_that_name_belongs_to_the_run_only_if_it_was_created_since_the_run_began(
    cloudflare: FakeCloudflare, after: timedelta, is_ours: bool
) -> None:
    create_database(cloudflare)
    found = AccountSearch(cloudflare.base_url, TOKEN).just_made(make_record(), MADE_AT + after)
    assert (found is not None) == is_ours


def test_an_existing_script_is_adopted_and_then_updated(
    cloudflare: FakeCloudflare,
) -> None:
    inputs = {"accountId": ACCOUNT, "scriptName": "shop", "bindings": {**SEALED, "ciphertext": "x"}}
    script = {"urn": "urn:pulumi:dev::p::x::s", "type": SCRIPT_TYPE, "inputs": inputs}
    account = AccountSearch(cloudflare.base_url, TOKEN)
    assert account.made_by(script) is None
    cloudflare.world.scripts["shop"] = {"metadata": {"bindings": []}}
    found = account.made_by(script)
    assert found is not None
    assert (found.id, found.complete) == ("shop", False)


def test_a_dynamic_resource_is_created_again(cloudflare: FakeCloudflare) -> None:
    record = make_record(type="pulumi-python:dynamic/flowflare:ApiKey")
    assert AccountSearch(cloudflare.base_url, TOKEN).made_by(record) is None
    assert cloudflare.requests == []


def test_a_missing_api_token_is_reported() -> None:
    with pytest.raises(SecretError, match="no API token"):
        AccountSearch("", "").made_by(make_record())


def test_cloudflares_refusal_of_a_name_that_is_taken_is_recognised() -> None:
    message = (
        '400 Bad Request {"errors":[{"code":7502,"message":"A database with that name exists"}]}'
    )
    assert is_name_taken(message)
    assert not is_name_taken("400 Bad Request: code 17502")
