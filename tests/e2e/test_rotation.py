"""The API key is rotated under constant traffic without a refused call."""

import json

import pytest

from flowflare.errors import RolloutError
from flowflare.rollout.rotate import api_keys
from flowflare.rollout.rotation import Keys
from tests.cli.command import flowflare
from tests.e2e.conftest import Project
from tests.e2e.rotating import call_service, make_rotation, read_outputs, rotate
from tests.e2e.traffic import Traffic, keep_calling

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


@pytest.mark.long
def test_two_rotations_under_constant_traffic_fail_no_call(project: Project) -> None:
    project.open_stack().up()
    project.account.settle()
    first = read_outputs(project)
    traffic = Traffic(first["client_urls"]["orders"], first["service_url"], first["api_key"])
    with keep_calling(traffic):
        for generation in (2, 3):
            rotate(project)
            # The outside caller reads the new key from the outputs before the old key is removed.
            traffic.outside_key = read_outputs(project)["api_key"]
            rotate(project, finish=True)
            assert make_rotation(project).keys() == Keys((generation,), generation)
    assert traffic.failures == []
    assert min(traffic.answers.values()) > 20, traffic.answers
    assert call_service(project, first["api_key"]) == 401
    assert call_service(project, read_outputs(project)["api_key"]) == 200
    assert list(api_keys(project.open_stack().read())) == [3]
    assert project.open_stack().up().changed == 0


def test_an_unhealthy_step_stops_the_rotation_and_the_error_says_how_to_roll_back(
    project: Project,
) -> None:
    project.open_stack().up()
    project.edit(
        "worker_src/orders/src/index.js", "const { pathname }", "throw 1; const { pathname }"
    )
    with pytest.raises(RolloutError, match="has changes that are not deployed"):
        make_rotation(project).require_nothing_else()
    project.open_stack().up()
    make_rotation(project).require_nothing_else()
    rotation = make_rotation(project, seconds=0.1)
    with pytest.raises(RolloutError) as caught:
        rotation.perform(rotation.steps(finish=False)[0])
    assert caught.value.message.startswith(
        "step 1 of 3, the service accepts generation 2 beside generation 1: not healthy: "
        "client orders answers 500"
    )
    remedy = "write flowflare:apiKeys: [1], flowflare:apiKeyInUse: 1 in Pulumi.local.yaml"
    assert remedy in str(caught.value)
    with pytest.raises(RolloutError, match="the clients still use generation 1"):
        make_rotation(project).steps(finish=True)


def test_status_and_preview_show_where_keys_and_secrets_are_bound(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "one")
    (project.root / "cert.pem").write_text("one")
    project.configure("flowflare:apiKeys: [2, 1]")
    secrets = "TOKEN: {environment: SHOP_TOKEN}, CERT: {file: cert.pem}, GEN: {generated: {}}"
    project.configure(f"flowflare:clientOverrides: {{orders: {{secrets: {{{secrets}}}}}}}")
    project.open_stack().up()
    (project.root / "cert.pem").write_text("two")
    monkeypatch.delenv("SHOP_TOKEN")
    at = ("-C", str(project.root), "--json")

    status = json.loads(flowflare("secrets", "status", *at).out)
    assert status["api_keys"]["accepted"] == [2, 1]
    bound = [(key["generation"], key["bound_as"]) for key in status["api_keys"]["generations"]]
    assert bound == [(2, "SERVICE_API_KEY_2"), (1, "SERVICE_API_KEY")]
    rows = [(secret["name"], secret["worker"], secret["pending"]) for secret in status["secrets"]]
    worker = "local-flowflare-orders"
    assert rows == [("CERT", worker, "changes"), ("GEN", worker, ""), ("TOKEN", worker, "unknown")]
    assert status["secrets"][2]["reason"] == "environment variable SHOP_TOKEN is not set"
    assert status["next"] == "Continue the rotation: flowflare secrets rotate --stack local"

    before = (project.root / "Pulumi.local.yaml").read_text()
    would = json.loads(flowflare("secrets", "rotate", "--preview", *at).out)["would"]
    assert [step["configuration"]["flowflare:apiKeyInUse"] for step in would] == [1, 2]
    assert (project.root / "Pulumi.local.yaml").read_text() == before
    assert list(api_keys(project.open_stack().read())) == [2, 1]
