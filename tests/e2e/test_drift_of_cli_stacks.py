"""Drift of stacks whose state Cloudflare's plugin wrote: bindings are compared, or unknown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowflare.review.drift.model import DriftDocument
from flowflare.state.passphrase import Passphrase, Vault
from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project
from tests.e2e.test_drift import ORDERS, Others, others
from tests.engine.as_plugin import seal_bindings
from tests.engine.projects import PASSPHRASE, SALT
from tests.fleet.projects import FleetProject, make_fleet

__all__ = ["others"]
pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
SECRET = "shop-token-of-the-test"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"


class CliStack:
    """The example with a secret and a variable, its state as the plugin writes it."""

    def __init__(self, project: Project) -> None:
        self.root = project.root
        self.file = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"

    def change(self, change: Callable[[dict[str, Any]], None]) -> None:
        raw = json.loads(self.file.read_text())
        change(raw["checkpoint"]["latest"])
        self.file.write_text(json.dumps(raw))

    def drift(self, *words: str) -> CliResult:
        return flowflare("drift", "--stack", "local", "-C", str(self.root), *words)

    def document(self, *words: str) -> DriftDocument:
        return DriftDocument.model_validate_json(self.drift("--json", *words).out)


@pytest.fixture
def stack(project: Project, monkeypatch: pytest.MonkeyPatch) -> CliStack:
    file = project.root / "Pulumi.local.yaml"
    file.write_text(f"encryptionsalt: {SALT}\n{file.read_text()}")
    secrets = {"SHOP_TOKEN": {"environment": "SHOP_TOKEN"}}
    override = {"orders": {"variables": {"MODE": "live"}, "secrets": secrets}}
    project.configure(f"flowflare:clientOverrides: {json.dumps(override)}")
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    project.stack().up()
    made = CliStack(project)
    vault = Vault(Passphrase(PASSPHRASE, "a test"), SALT)
    made.change(lambda latest: seal_bindings(latest, vault))
    project.edit("Pulumi.local.yaml", "  flowflare:engine: embedded\n", "")
    monkeypatch.setenv("PULUMI_BACKEND_URL", (project.root / ".flowflare/state").as_uri())
    return made


def test_bindings_of_a_secret_list_are_compared(stack: CliStack, others: Others) -> None:
    same = stack.drift("--exit-code")
    assert (same.code, same.err) == (0, "")
    assert "Nothing has drifted in 1 stack" in same.out

    others.bind(
        ORDERS,
        {"type": "plain_text", "name": "MODE", "text": "shadow-of-others"},
        {"type": "secret_text", "name": "EXTRA", "text": "hidden-value"},
        drop=("SHOP_TOKEN",),
    )
    said = stack.drift("--exit-code", "--json")
    assert said.code == 2
    [found] = DriftDocument.model_validate_json(said.out).stacks
    assert {(one.kind, one.path) for one in found.findings} == {
        ("changed", 'bindings["MODE"].text'),
        ("missing", 'bindings["SHOP_TOKEN"]'),
        ("extra", 'bindings["EXTRA"]'),
    }
    assert (found.result, found.unknown) == ("drifted", ())
    for text in (said.out, said.err, stack.drift().out):
        assert not [one for one in (SECRET, "hidden-value", "shadow-of-others") if one in text]


@pytest.mark.parametrize("words", [(), ("--exit-code",), ("--json",)])
def test_what_cannot_be_opened_makes_the_result_unknown(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another one")
    said = stack.drift(*words)
    assert said.code == 1
    assert "could not be compared completely: local" in said.err
    assert "Nothing has drifted" not in said.out
    [found] = stack.document().stacks
    assert found.result == "unknown"
    assert {one.resource for one in found.unknown} == {
        "flowflare-orders-script",
        "flowflare-service-script",
    }
    if "--json" not in words:
        assert "bindings is secret in state and cannot be decrypted" in said.out
        assert "2 resources in 1 stack could not be compared: the result is unknown" in said.out


def test_drift_that_is_found_beside_something_unknown_still_ends_with_1(
    stack: CliStack, others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    others.settings(ORDERS, observability={"enabled": True})
    assert stack.drift("--exit-code").code == 2
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another one")
    said = stack.drift("--exit-code")
    assert said.code == 1
    assert "1 difference was found in 1 of 1 stack" in said.out


def add_foreign(latest: dict[str, Any]) -> None:
    """A resource of a type that drift does not know, and an operation that was interrupted."""
    [first] = [one for one in latest["resources"] if one["urn"].endswith("orders-subdomain")]
    urn = f"urn:pulumi:local::flowflare::{RECORD}::www"
    latest["resources"].append({"urn": urn, "type": RECORD, "custom": True, "id": "1"})
    latest["pending_operations"] = [{"type": "updating", "resource": first}]


def test_what_drift_does_not_know_is_unknown_until_it_is_allowed_by_name(stack: CliStack) -> None:
    stack.change(add_foreign)
    said = stack.drift()
    assert said.code == 1
    assert (
        "? unknown  www DnsRecord: drift detection does not support this resource type" in said.out
    )
    assert "orders-subdomain WorkersScriptSubdomain: an interrupted run left its" in said.out

    dns, half = f"{RECORD}=the DNS team's", "flowflare-orders-subdomain=being looked at"
    allowed = ("--allow-unknown", dns)
    assert stack.drift(*allowed).code == 1
    said = stack.drift(*allowed, "--allow-unknown", half, "--exit-code")
    assert (said.code, said.err) == (0, "")
    assert "(--allow-unknown: the DNS team's)" in said.out
    assert stack.document(*allowed).stacks[0].unknown[0].allowed == "the DNS team's"

    needless = stack.drift(*allowed, "--allow-unknown", "other=why not")
    assert needless.code == 2
    assert "nothing of other is unknown: remove it" in needless.err


@pytest.mark.long
def test_a_fleet_says_so_too(
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
        said = fleet.run("drift", *words)
        assert said.code == 1
        assert "could not be compared completely: t01-prod" in said.err
        assert "Nothing has drifted" not in said.out
    found = DriftDocument.model_validate_json(said.out)
    assert [one.result for one in found.stacks] == ["unknown"]
