"""The verbs that named stores share, with a store of which the API hides the password."""

from collections.abc import Mapping
from typing import Any

import httpx
import pulumi

from flowflare.api import Connector
from flowflare.kinds import queue, workers_kv_namespace
from flowflare.kinds.access import Access
from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Wanted
from flowflare.kinds.assessment import Reason
from flowflare.kinds.contract import Kind, NotSupported, Own, Shared, load_risk
from flowflare.kinds.declare_store import declare_store
from flowflare.kinds.handler import Existing
from flowflare.kinds.scene import Record, Scene
from flowflare.kinds.store_verbs import compare, find
from flowflare.kinds.stores import NamedStore
from flowflare.kinds.surroundings import Surroundings
from flowflare.model.client import OwnSpec
from flowflare.model.secret_sources import EnvironmentSource
from flowflare.values.events import Step
from flowflare.values.properties import Props, Secret
from tests.unit.resources.recording_monitor import record

INPUTS: Props = {
    "accountId": "a",
    "name": "shop",
    "origin": {"host": "db.example.com", "password": Secret("s3cret")},
}
LIVE = {
    "id": "1",
    "name": "shop",
    "origin": {"host": "db.example.com"},
    "caching": {"disabled": False},
}


class Pool(NamedStore):
    """Connections to a database: an ID, a name and an origin with a password."""

    listed_at = "/pools"
    title = "name"
    name_taken = 1
    words = "pool"
    compared = ("origin", "caching")


POOL = Kind(
    type="cloudflare:index/pool:Pool",
    folder=__name__,
    apply=f"{__name__}:Pool",
    risk=Shared("flowflare.kinds.store_verbs:assess"),
    calls="flowflare.kinds.one_request:count_calls",
    drift=Shared("flowflare.kinds.store_verbs:compare"),
    adopt=Shared("flowflare.kinds.store_verbs:find"),
    declare=Shared("flowflare.kinds.declare_store:declare_store"),
    settings=NotSupported("It is a fake."),
    own=Own("pool", "pool", "hyperdrive"),
)


class Pools(Account):
    """An account with one pool, or with none."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self.rows = rows

    def read_list(self, path: str, size: int = 0) -> Any:
        assert path == "/pools"
        return self.rows


def drift(*rows: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    scene = Scene({POOL.type: (Record("pool", POOL.type, "1", INPUTS, {}),)}, {})
    found = list(compare(POOL, scene, Pools(*rows)))
    return [finding.message for finding in found], scene.unseen


def test_drift_compares_what_the_api_returns_and_names_what_it_does_not() -> None:
    unseen = ["The secrets of each pool are not compared: Cloudflare does not return them."]
    assert drift(LIVE) == ([], unseen)

    moved = {**LIVE, "origin": {"host": "elsewhere.example.com"}}
    [message], _ = drift(moved)
    assert message == (
        "pool shop: origin.host is elsewhere.example.com, but state has db.example.com"
    )


def test_a_missing_store_without_data_took_no_data_with_it() -> None:
    assert drift()[0] == ["pool shop is not in the account"]


def test_adopting_takes_the_live_values_and_keeps_the_declared_secret() -> None:
    wanted = Wanted("pool", POOL.type, (), INPUTS, None)  # type: ignore[arg-type]
    live = {**LIVE, "origin": {"host": "elsewhere.example.com"}}

    found = find(POOL, wanted, Pools(live), Findings())

    assert found is not None
    assert (found.id, found.name) == ("1", "shop")
    assert found.inputs["origin"] == {
        "host": "elsewhere.example.com",
        "password": Secret("s3cret"),
    }
    assert [difference.path for difference in found.differences] == ["origin.host"]
    same = find(POOL, wanted, Pools(LIVE), Findings())
    assert same is not None
    assert list(same.differences) == []
    assert find(POOL, wanted, Pools({**LIVE, "name": "other"}), Findings()) is None


def assess(kind: Kind, op: str) -> list[Reason]:
    rule = load_risk(kind)
    assert rule is not None
    return list(rule(Step(op=op, type=kind.type, name="x", urn="x"), Surroundings({}, {})))


def test_only_a_store_with_content_loses_it() -> None:
    assert assess(POOL, "delete") == []
    [reason] = assess(workers_kv_namespace.KIND, "delete")
    assert reason.text == "It is deleted with its keys."


def test_a_secret_setting_is_passed_as_a_secret_below_its_path() -> None:
    own = OwnSpec(
        binding="JOBS",
        type=queue.KIND.type,
        name="jobs",
        settings={"settings": {"deliveryDelay": 5}},
        secrets={"settings.messageRetentionPeriod": EnvironmentSource(variable="PERIOD")},
        bound_as="queue",
    )

    def program() -> None:
        secrets = {path: pulumi.Output.secret("60") for path in own.secrets}
        declare_store(queue.KIND, "jobs", own, secrets, "a", pulumi.ResourceOptions())

    found = record(program, config={}).get_resource("jobs").inputs
    assert found["queueName"] == "jobs"
    # The recording, unlike an engine, marks the whole property.
    assert found["settings"] == {"secret": {"deliveryDelay": 5, "messageRetentionPeriod": "60"}}


def test_a_setting_that_the_program_drops_leaves_the_state() -> None:
    body = {"success": True, "errors": [], "messages": [], "result": LIVE}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    provider: Props = {"baseUrl": "http://127.0.0.1:1/client/v4", "apiToken": "t"}
    pool = Pool(Access(provider, {}, api=Connector(transport=lambda: transport)))
    new: Props = {"accountId": "a", "name": "shop"}
    before: Props = {**new, "mtls": {"sslmode": "require"}}
    outputs = pool.update(Existing("1", before, {**before, "createdOn": "today"}), new)
    assert "mtls" not in outputs
    assert outputs["createdOn"] == "today"
