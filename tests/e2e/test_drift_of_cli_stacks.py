"""Drift compares encrypted bindings in states of Cloudflare's plugin, or reports them unknown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowflare.review.drift.model import DriftDocument
from flowflare.state.passphrase import Passphrase, Vault
from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project
from tests.e2e.test_drift import ORDERS, OtherClient, other_client
from tests.engine.as_plugin import seal_bindings
from tests.engine.projects import PASSPHRASE, SALT
from tests.fleet.projects import FleetProject, make_fleet

__all__ = ["other_client"]
pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
SECRET = "shop-token-of-the-test"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"


class CliStack:
    """The example with a secret and a variable, with a state as the plugin writes it."""

    def __init__(self, project: Project) -> None:
        self.root = project.root
        self.file = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"

    def edit_state(self, edit: Callable[[dict[str, Any]], None]) -> None:
        raw = json.loads(self.file.read_text())
        edit(raw["checkpoint"]["latest"])
        self.file.write_text(json.dumps(raw))

    def find_drift(self, *words: str) -> CliResult:
        return flowflare("drift", "--stack", "local", "-C", str(self.root), *words)

    def read_document(self, *words: str) -> DriftDocument:
        return DriftDocument.model_validate_json(self.find_drift("--json", *words).out)


@pytest.fixture
def stack(project: Project, monkeypatch: pytest.MonkeyPatch) -> CliStack:
    file = project.root / "Pulumi.local.yaml"
    file.write_text(f"encryptionsalt: {SALT}\n{file.read_text()}")
    secrets = {"SHOP_TOKEN": {"environment": "SHOP_TOKEN"}}
    override = {"orders": {"variables": {"MODE": "live"}, "secrets": secrets}}
    project.configure(f"flowflare:clientOverrides: {json.dumps(override)}")
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    project.open_stack().up()
    stack = CliStack(project)
    vault = Vault(Passphrase(PASSPHRASE, "a test"), SALT)
    stack.edit_state(lambda latest: seal_bindings(latest, vault))
    project.edit("Pulumi.local.yaml", "  flowflare:engine: embedded\n", "")
    monkeypatch.setenv("PULUMI_BACKEND_URL", (project.root / ".flowflare/state").as_uri())
    return stack


def test_bindings_in_an_encrypted_list_are_compared(
    stack: CliStack, other_client: OtherClient
) -> None:
    same = stack.find_drift("--exit-code")
    assert (same.code, same.err) == (0, "")
    assert "Nothing has drifted in 1 stack" in same.out

    other_client.bind(
        ORDERS,
        {"type": "plain_text", "name": "MODE", "text": "shadow-of-others"},
        {"type": "secret_text", "name": "EXTRA", "text": "hidden-value"},
        drop=("SHOP_TOKEN",),
    )
    drifted = stack.find_drift("--exit-code", "--json")
    assert drifted.code == 2
    [found] = DriftDocument.model_validate_json(drifted.out).stacks
    assert {(finding.kind, finding.path) for finding in found.findings} == {
        ("changed", 'bindings["MODE"].text'),
        ("missing", 'bindings["SHOP_TOKEN"]'),
        ("extra", 'bindings["EXTRA"]'),
    }
    assert (found.result, found.unknown) == ("drifted", ())
    for text in (drifted.out, drifted.err, stack.find_drift().out):
        for secret in (SECRET, "hidden-value", "shadow-of-others"):
            assert secret not in text


@pytest.mark.parametrize("words", [(), ("--exit-code",), ("--json",)])
def test_bindings_that_cannot_be_decrypted_make_the_result_unknown(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another one")
    result = stack.find_drift(*words)
    assert result.code == 1
    assert "could not be compared completely: local" in result.err
    assert "Nothing has drifted" not in result.out
    [found] = stack.read_document().stacks
    assert found.result == "unknown"
    assert {unknown.resource for unknown in found.unknown} == {
        "flowflare-orders-script",
        "flowflare-service-script",
    }
    if "--json" not in words:
        assert "bindings is secret in state and cannot be decrypted" in result.out
        assert "2 resources in 1 stack could not be compared: the result is unknown" in result.out


def test_drift_beside_an_unknown_resource_still_exits_with_1(
    stack: CliStack, other_client: OtherClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_client.patch_settings(ORDERS, observability={"enabled": True})
    assert stack.find_drift("--exit-code").code == 2
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another one")
    result = stack.find_drift("--exit-code")
    assert result.code == 1
    assert "1 difference was found in 1 of 1 stack" in result.out


def add_foreign(latest: dict[str, Any]) -> None:
    """Add a resource of a type that drift does not support, and an interrupted operation."""
    [first] = [each for each in latest["resources"] if each["urn"].endswith("orders-subdomain")]
    urn = f"urn:pulumi:local::flowflare::{RECORD}::www"
    latest["resources"].append({"urn": urn, "type": RECORD, "custom": True, "id": "1"})
    latest["pending_operations"] = [{"type": "updating", "resource": first}]


def test_an_unsupported_resource_is_unknown_until_it_is_allowed_by_name(stack: CliStack) -> None:
    stack.edit_state(add_foreign)
    result = stack.find_drift()
    assert result.code == 1
    unsupported = "? unknown  www DnsRecord: drift detection does not support this resource type"
    assert unsupported in result.out
    assert "orders-subdomain WorkersScriptSubdomain: an interrupted run left its" in result.out

    dns, interrupted = f"{RECORD}=the DNS team's", "flowflare-orders-subdomain=being looked at"
    allowed = ("--allow-unknown", dns)
    assert stack.find_drift(*allowed).code == 1
    result = stack.find_drift(*allowed, "--allow-unknown", interrupted, "--exit-code")
    assert (result.code, result.err) == (0, "")
    assert "(--allow-unknown: the DNS team's)" in result.out
    assert stack.read_document(*allowed).stacks[0].unknown[0].allowed == "the DNS team's"

    needless = stack.find_drift(*allowed, "--allow-unknown", "other=why not")
    assert needless.code == 2
    assert "nothing of other is unknown: remove it" in needless.err


@pytest.mark.long
def test_a_fleet_reports_unknown_resources_too(
    tmp_path: Path, cloudflare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    fleet: FleetProject = make_fleet(tmp_path / "fleet", cloudflare, 1)
    assert fleet.run("up").code == 0
    [file] = (tmp_path / "fleet").glob(".flowflare/state/.pulumi/stacks/flowflare/t01-prod.json")
    raw = json.loads(file.read_text())
    add_foreign(raw["checkpoint"]["latest"])
    file.write_text(json.dumps(raw))
    for words in ((), ("--exit-code", "--json")):
        result = fleet.run("drift", *words)
        assert result.code == 1
        assert "could not be compared completely: t01-prod" in result.err
        assert "Nothing has drifted" not in result.out
    found = DriftDocument.model_validate_json(result.out)
    assert [stack.result for stack in found.stacks] == ["unknown"]
