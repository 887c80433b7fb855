"""Clients that the stack's own program does not declare: a second program's, and wrangler's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.docs.generate_outputs import SECOND_PROGRAM
from tests.e2e.conftest import ROOT, Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.e2e.wrangler import run_wrangler
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

# Asks the service with the key that it was given.
SOURCE = """
export default {
  async fetch(request, env) {
    const answer = await env.WORKFLOW_SERVICE.fetch("https://service/service/list-workflows", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-API-Key": env.WORKFLOW_API_KEY },
      body: "{}",
    });
    const tracker = env.WORKFLOW_TRACKER.idFromName("any");
    return Response.json([answer.status, String(tracker).length]);
  },
};
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Project:
    project = make_project(tmp_path_factory.mktemp("first") / "shop", cloudflare)
    project.configure("flowflare:clients: {}")
    project.stack().up()
    return project


def second_project(folder: Path, first: Project, cloudflare: Cloudflare) -> Project:
    """A project `reports` of its own, on the backend of the first."""
    (folder / "infra").mkdir(parents=True)
    (folder / "infra/__main__.py").write_text(SECOND_PROGRAM)
    (folder / "reports.js").write_text(SOURCE)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    about = {"name": "reports", "runtime": "python", "main": "infra/"}
    state = {"backend": {"url": f"file://{first.root}/.flowflare/state"}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(about | state))
    config = {
        "flowflare:engine": "embedded",
        "flowflare:accountId": first.account.identity,
        "flowflare:protect": False,
        "flowflare:clients": {"reports": {"source": "reports.js"}},
        "cloudflare:baseUrl": cloudflare.base_url,
        "cloudflare:apiToken": cloudflare.token,
    }
    (folder / "Pulumi.local.yaml").write_text(yaml.safe_dump({"config": config}))
    return Project(folder, first.account)


def asked(url: str) -> Any:
    return httpx.get(url, timeout=PATIENCE).raise_for_status().json()


def test_a_second_program_takes_the_service_from_the_first_ones_outputs(
    first: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    second = second_project(tmp_path / "reports", first, cloudflare)
    assert not second.stack().preview().failures
    second.stack().up()
    first.account.settle()
    assert asked(second.stack().outputs()["url"])[0] == 200
    assert second.stack().up().changed == 0
    second.stack().destroy()
    assert first.account.scripts() == ["local-flowflare-service"]


@pytest.mark.long
def test_wrangler_deploys_a_client_with_the_names_that_outputs_tells(
    first: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    answer = first.flowflare("outputs", "--stack", "local", "--json", "--show-secrets")
    outputs: Mapping[str, str] = json.loads(answer.stdout)
    service = outputs["service_script_name"]
    tracker = {
        "name": "WORKFLOW_TRACKER",
        "class_name": "WorkflowTracker",
        "script_name": service,
    }
    config = {
        "name": "reports-by-wrangler",
        "main": "index.js",
        "compatibility_date": "2026-11-01",
        "services": [{"binding": "WORKFLOW_SERVICE", "service": service}],
        "durable_objects": {"bindings": [tracker]},
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    (tmp_path / "index.js").write_text(SOURCE)
    (tmp_path / "secrets.json").write_text(json.dumps({"WORKFLOW_API_KEY": outputs["api_key"]}))
    run_wrangler(tmp_path, first.account, cloudflare, "deploy", "--secrets-file", "secrets.json")
    first.account.settle()
    found = first.account.get("/workers/scripts/reports-by-wrangler/subdomain")
    assert asked(found["url"])[0] == 200
    first.stack().up()
    assert asked(found["url"])[0] == 200
    run_wrangler(tmp_path, first.account, cloudflare, "delete", "--force")
