"""A fleet of the Pulumi CLI: deployed in waves with health checks, unchanged, retired.

`tests/engine/cloudflare_plugin.py` substitutes Cloudflare's plugin. Tested with CLI 3.274.1.
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
    """Make environment variables with which the CLI finds the plugin and uses no shared files."""
    return {
        **cli_environ(tmp_path),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "CLOUDFLARE_API_TOKEN": cloudflare.token,
    }


def test_the_pulumi_cli_deploys_and_retires_a_fleet(
    fleet_project: Callable[..., FleetProject], environ: dict[str, str]
) -> None:
    fleet = fleet_project(2, waves=[1, "100%"])
    environ["CLOUDFLARE_BASE_URL"] = fleet.base_url
    write_tenants(fleet, {"t01": {}, "t02": {}})
    done = events(fleet, environ, "up")
    names = [event["tenant"] for event in done if event["event"] == "tenant-done"]
    assert names == ["t01", "t02"]
    assert len([event for event in done if event["event"] == "health" and event["healthy"]]) == 2
    assert done[-1]["api_calls"] > 20
    assert len(fleet.account.list_databases()) == 2

    after = fleet.account.find_last_request()
    assert events(fleet, environ, "up")[-1]["unchanged"] == 2
    assert fleet.account.list_requests(after) == []

    write_tenants(fleet, {"t01": {"status": "retired"}, "t02": {}})
    done = events(fleet, environ, "up", "--retire", "t01")
    [exported] = [event for event in done if event["event"] == "exported"]
    assert exported["databases"]["t01-prod-flowflare-db"] > 0
    assert done[-1]["removed"] == 1
    assert fleet.account.list_databases() == ["t02-prod-flowflare-db"]
    assert len(list((fleet.root / ".flowflare/exports/t01-prod").rglob("manifest.json"))) == 1


def write_tenants(fleet: FleetProject, tenants: dict) -> None:
    """Write tenants.yaml for the CLI: without an engine and without the API's address."""
    fleet.write(tenants)
    file = fleet.root / "tenants.yaml"
    written = yaml.safe_load(file.read_text())
    for key in ("engine", "cloudflare:baseUrl"):
        written["defaults"].pop(key)
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    fleet.run_command("fleet", "config")


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
