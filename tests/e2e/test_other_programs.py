"""Programs outside the stack can be its clients: a second Pulumi program, and wrangler."""

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

# This Worker calls the service with its key.
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
    project.open_stack().up()
    return project


def make_second_project(folder: Path, first: Project, cloudflare: Cloudflare) -> Project:
    """Create a project `reports` on the backend of the first project."""
    (folder / "infra").mkdir(parents=True)
    (folder / "infra/__main__.py").write_text(SECOND_PROGRAM)
    (folder / "reports.js").write_text(SOURCE)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    project = {"name": "reports", "runtime": "python", "main": "infra/"}
    state = {"backend": {"url": f"file://{first.root}/.flowflare/state"}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project | state))
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


def get(url: str) -> Any:
    return httpx.get(url, timeout=PATIENCE).raise_for_status().json()


def test_a_second_program_reads_the_service_from_the_first_programs_outputs(
    first: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    second = make_second_project(tmp_path / "reports", first, cloudflare)
    assert not second.open_stack().preview().failures
    second.open_stack().up()
    first.account.settle()
    assert get(second.open_stack().outputs()["url"])[0] == 200
    assert second.open_stack().up().changed == 0
    second.open_stack().destroy()
    assert first.account.list_scripts() == ["local-flowflare-service"]


@pytest.mark.long
def test_wrangler_deploys_a_client_with_the_names_in_the_outputs(
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
    subdomain = first.account.get("/workers/scripts/reports-by-wrangler/subdomain")
    assert get(subdomain["url"])[0] == 200
    first.open_stack().up()
    assert get(subdomain["url"])[0] == 200
    run_wrangler(tmp_path, first.account, cloudflare, "delete", "--force")
