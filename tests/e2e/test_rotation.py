"""The API key is rotated under constant traffic, and nobody is ever turned away."""

import json

import pytest

from flowflare.errors import RolloutError
from flowflare.rollout.rotate import api_keys
from flowflare.rollout.rotation import Keys
from tests.cli.command import flowflare
from tests.e2e.conftest import Project
from tests.e2e.rotating import opens, outputs, rotate, rotation
from tests.e2e.traffic import Traffic, constant

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def test_two_rotations_under_constant_traffic_without_a_failure(project: Project) -> None:
    project.stack().up()
    project.account.settle()
    at_first = outputs(project)
    traffic = Traffic(
        at_first["client_urls"]["orders"], at_first["service_url"], at_first["api_key"]
    )
    with constant(traffic):
        for generation in (2, 3):
            rotate(project)
            # The caller outside reads the stack's output again before the old key is dropped.
            traffic.outside_key = outputs(project)["api_key"]
            rotate(project, finish=True)
            assert rotation(project).keys() == Keys((generation,), generation)
    assert traffic.failures == []
    assert min(traffic.answers.values()) > 20, traffic.answers
    assert opens(project, at_first["api_key"]) == 401
    assert opens(project, outputs(project)["api_key"]) == 200
    assert list(api_keys(project.stack().read())) == [3]
    assert project.stack().up().changed == 0


def test_an_unhealthy_step_stops_and_says_how_to_go_back(project: Project) -> None:
    project.stack().up()
    project.edit(
        "worker_src/orders/src/index.js", "const { pathname }", "throw 1; const { pathname }"
    )
    with pytest.raises(RolloutError, match="has changes that are not deployed"):
        rotation(project).require_nothing_else()
    project.stack().up()
    rotation(project).require_nothing_else()
    going = rotation(project, seconds=0.1)
    with pytest.raises(RolloutError) as caught:
        going.perform(going.steps(finish=False)[0])
    assert caught.value.message.startswith(
        "step 1 of 3, the service accepts generation 2 beside generation 1: not healthy: "
        "client orders answers 500"
    )
    back = "write flowflare:apiKeys: [1], flowflare:apiKeyInUse: 1 in Pulumi.local.yaml"
    assert back in str(caught.value)
    with pytest.raises(RolloutError, match="the clients still use generation 1"):
        rotation(project).steps(finish=True)


def test_status_and_preview_tell_where_keys_and_secrets_are(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "one")
    (project.root / "cert.pem").write_text("one")
    project.configure("flowflare:apiKeys: [2, 1]")
    secrets = "TOKEN: {environment: SHOP_TOKEN}, CERT: {file: cert.pem}, GEN: {generated: {}}"
    project.configure(f"flowflare:clientOverrides: {{orders: {{secrets: {{{secrets}}}}}}}")
    project.stack().up()
    (project.root / "cert.pem").write_text("two")
    monkeypatch.delenv("SHOP_TOKEN")
    at = ("-C", str(project.root), "--json")

    told = json.loads(flowflare("secrets", "status", *at).out)
    assert told["api_keys"]["accepted"] == [2, 1]
    bound = [(one["generation"], one["bound_as"]) for one in told["api_keys"]["generations"]]
    assert bound == [(2, "SERVICE_API_KEY_2"), (1, "SERVICE_API_KEY")]
    rows = [(one["name"], one["worker"], one["pending"]) for one in told["secrets"]]
    worker = "local-flowflare-orders"
    assert rows == [("CERT", worker, "changes"), ("GEN", worker, ""), ("TOKEN", worker, "unknown")]
    assert told["secrets"][2]["reason"] == "environment variable SHOP_TOKEN is not set"
    assert told["next"] == "Continue the rotation: flowflare secrets rotate --stack local"

    before = (project.root / "Pulumi.local.yaml").read_text()
    would = json.loads(flowflare("secrets", "rotate", "--preview", *at).out)["would"]
    assert [step["configuration"]["flowflare:apiKeyInUse"] for step in would] == [1, 2]
    assert (project.root / "Pulumi.local.yaml").read_text() == before
    assert list(api_keys(project.stack().read())) == [2, 1]
