"""`flowflare drift` does not start an embedded Cloudflare that does not run."""

import json
from pathlib import Path

import pytest

from tests.cli.command import flowflare


def deploy(root: Path, stack: str) -> None:
    """Write the state of a deployed database."""
    urn = f"urn:pulumi:{stack}::shop::"
    kind = "cloudflare:index/d1Database:D1Database"
    inputs = {"accountId": "f" * 32, "name": f"{stack}-db"}
    resources = [
        {
            "urn": f"{urn}pulumi:pulumi:Stack::shop-{stack}",
            "type": "pulumi:pulumi:Stack",
            "custom": False,
        },
        {"urn": f"{urn}{kind}::db", "type": kind, "custom": True, "id": "1", "inputs": inputs},
    ]
    state = root / f".flowflare/state/.pulumi/stacks/shop/{stack}.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    latest = {"manifest": {"time": "2026-11-30T00:00:00Z"}, "resources": resources}
    document = {"stack": f"organization/shop/{stack}", "latest": latest}
    state.write_text(json.dumps({"version": 3, "checkpoint": document}))


@pytest.fixture
def three(root: Path) -> Path:
    """A project with a stack that was not deployed, and two that were."""
    for stack in ("one", "two"):
        (root / f"Pulumi.{stack}.yaml").write_text((root / "Pulumi.local.yaml").read_text())
        deploy(root, stack)
    return root


def test_only_the_stacks_that_were_compared_are_counted(three: Path) -> None:
    said = flowflare("drift", "--cwd", str(three))
    last = said.out.rstrip().splitlines()[-1]
    assert last == "No drift was found in 1 stack (0 API calls). 2 could not be compared."
    assert said.code == 1
    assert "could not be compared: one, two" in said.err
    alone = flowflare("drift", "--stack", "one", "--cwd", str(three))
    assert "No stack was compared (0 API calls). 1 could not be compared." in alone.out


def test_a_cloudflare_that_does_not_run_is_named_and_not_started(three: Path) -> None:
    said = flowflare("drift", "--stack", "two", "--json", "--cwd", str(three))
    (stack,) = json.loads(said.out)["stacks"]
    assert (said.code, stack["result"]) == (1, "unknown")
    assert "its embedded Cloudflare does not run" in stack["error"]
    assert "flowflare emulator start -s two" in stack["error"]
    assert not (three / ".flowflare/emulator").exists()


def test_a_stack_that_was_not_deployed_has_nothing_to_compare(root: Path) -> None:
    said = flowflare("drift", "--exit-code", "--cwd", str(root))
    assert said.code == 0, said.err
    assert "Nothing has drifted in 1 stack (0 API calls)." in said.out
    assert not (root / ".flowflare/emulator").exists()
