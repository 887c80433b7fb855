"""A fleet of the real Pulumi CLI: up in waves with health checks, nothing to do, retired.

Cloudflare's own plugin is stood in for by `tests/engine/cloudflare_plugin.py`; CLI 3.274.1.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.embedded import Cloudflare
from tests.fleet.projects import COMMAND, FleetProject
from tests.support.pulumi_cli import cli_environ

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.long]


@pytest.fixture
def environ(tmp_path: Path, cloudflare: Cloudflare) -> dict[str, str]:
    """An environment in which the CLI finds the plugin and keeps to itself."""
    return {
        **cli_environ(tmp_path),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "CLOUDFLARE_API_TOKEN": cloudflare.token,
    }


def test_a_fleet_of_the_pulumi_cli(
    fleet_project: Callable[..., FleetProject], environ: dict[str, str]
) -> None:
    fleet = fleet_project(2, waves=[1, "100%"])
    environ["CLOUDFLARE_BASE_URL"] = fleet.base_url
    says(fleet, {"t01": {}, "t02": {}})
    done = events(fleet, environ, "up")
    assert [one["tenant"] for one in done if one["event"] == "tenant-done"] == ["t01", "t02"]
    assert len([one for one in done if one["event"] == "health" and one["healthy"]]) == 2
    assert done[-1]["api_calls"] > 20
    assert len(fleet.account.databases()) == 2

    after = fleet.account.last_request()
    assert events(fleet, environ, "up")[-1]["unchanged"] == 2
    assert fleet.account.requests(after) == []

    says(fleet, {"t01": {"status": "retired"}, "t02": {}})
    done = events(fleet, environ, "up", "--retire", "t01")
    [exported] = [one for one in done if one["event"] == "exported"]
    assert exported["databases"]["t01-prod-flowflare-db"] > 0
    assert done[-1]["removed"] == 1
    assert fleet.account.databases() == ["t02-prod-flowflare-db"]
    assert len(list((fleet.root / ".flowflare/exports/t01-prod").rglob("manifest.json"))) == 1


def says(fleet: FleetProject, tenants: dict) -> None:
    """Writes tenants.yaml for the CLI: no engine, and the API's address in the environment."""
    fleet.write(tenants)
    file = fleet.root / "tenants.yaml"
    written = yaml.safe_load(file.read_text())
    for key in ("engine", "cloudflare:baseUrl"):
        written["defaults"].pop(key)
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    fleet.succeeds("fleet", "config")


def events(fleet: FleetProject, environ: dict[str, str], *words: str) -> list[dict]:
    done = subprocess.run(
        [COMMAND, "fleet", *words, "-e", "prod", "--json"],
        cwd=fleet.root,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]
