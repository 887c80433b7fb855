"""What the Pulumi CLI imports: old records as they were encrypted, new ones with plain secrets."""

from flowflare.adoption.owners import find_owned_elsewhere
from flowflare.engine.pulumi_cli.state_import import add_records
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.values.properties import Secret
from flowflare.values.wire import SECRET, SIGNATURE

D1 = "cloudflare:index/d1Database:D1Database"
SEALED = {SIGNATURE: SECRET, "ciphertext": "v1:a:b"}
STACK = {"urn": "urn:pulumi:s::p::t::stack", "type": "t", "custom": False, "outputs": {"k": SEALED}}
NEW = Resource(
    urn="urn:pulumi:s::p::t::key",
    type="t",
    custom=True,
    id="adopted",
    outputs={"list": [{"text": Secret('quoted "key"')}]},
)


def database(account: str) -> Resource:
    inputs = {"accountId": account, "name": "db"}
    return Resource(urn=f"urn:pulumi:s::p::{D1}::db", type=D1, custom=True, id="u", inputs=inputs)


def test_old_records_stay_as_they_were_and_new_secrets_are_plain() -> None:
    before = {"version": 3, "deployment": {"manifest": {"time": "t"}, "resources": [STACK]}}
    known = Resource(urn=str(STACK["urn"]), type="t", custom=False)
    made = add_records(before, Deployment((known, NEW)))["deployment"]
    assert made["manifest"] == {"time": "t"}
    first, second = made["resources"]
    assert first == STACK
    assert second["outputs"] == {
        "list": [{"text": {SIGNATURE: SECRET, "plaintext": '"quoted \\"key\\""'}}]
    }


def test_a_stack_without_a_deployment_gets_one() -> None:
    made = add_records({"version": 3, "deployment": None}, Deployment((NEW,)))
    assert [record["urn"] for record in made["deployment"]["resources"]] == [NEW.urn]


def test_a_resource_is_identified_by_type_id_and_account() -> None:
    record = {"urn": "x", "type": D1, "id": "u", "inputs": {"accountId": "one"}}
    states = [
        ("p/other", {"checkpoint": {"latest": {"resources": [record]}}}),
        ("p/empty", {"checkpoint": {"latest": None}}),
        ("p/odd", []),
    ]
    mine = database("one")
    assert list(find_owned_elsewhere([mine], states)) == [(mine, "p/other")]
    assert list(find_owned_elsewhere([database("two")], states)) == []
