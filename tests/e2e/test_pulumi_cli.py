"""The real Pulumi CLI and Flowflare run the same program on the embedded Cloudflare.

`tests/engine/cloudflare_plugin.py` replaces Cloudflare's own plugin. Passes with CLI 3.274.1.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_assets import SHOP, SOURCE, write_shop
from tests.e2e.test_own_stores import PASSWORD, STORES, configure
from tests.support.pulumi_cli import cli_environ
from tests.support.waiting import PATIENCE
from tests.support.webassembly import ADD

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.long]


@pytest.fixture
def environ(project: Project, cloudflare: Cloudflare, tmp_path: Path) -> dict[str, str]:
    return use_cli(project, cloudflare, tmp_path)


def use_cli(project: Project, cloudflare: Cloudflare, tmp_path: Path) -> dict[str, str]:
    """Make the example's stack one of the CLI; return the environment that the CLI needs."""
    project.edit("Pulumi.local.yaml", "flowflare:engine: embedded", "flowflare:engine: pulumi")
    return {
        **cli_environ(tmp_path),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "CLOUDFLARE_API_TOKEN": cloudflare.token,
    }


def pulumi(project: Project, environ: dict[str, str], *words: str) -> str:
    result = subprocess.run(
        ["pulumi", *words, "--non-interactive"],
        cwd=project.root,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_plain_pulumi_and_flowflare_run_the_same_program(
    project: Project, environ: dict[str, str]
) -> None:
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    first = project.flowflare("preview", "--json", **environ)
    assert first.returncode == 0, first.stderr
    resources = json.loads(first.stdout)["resources"]
    planned = {resource["name"] for resource in resources if resource["op"] == "create"}
    pulumi(project, environ, "up", "--yes", "--skip-preview", "--stack", "local")
    assert len(project.account.list_databases()) == 1
    assert len(project.account.list_scripts()) == 2
    exported = json.loads(pulumi(project, environ, "stack", "export", "--stack", "local"))
    records = exported["deployment"]["resources"]
    created = {record["urn"].rpartition("::")[2] for record in records}
    assert planned <= created

    last = project.account.find_last_request()
    again = project.flowflare("up", "--yes", "--json", **environ)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["changed"] == 0
    assert project.account.list_writes(last) == []

    doctor = project.flowflare("doctor", "--json", **environ)
    checks = json.loads(doctor.stdout)["checks"]
    assert not [check for check in checks if check["status"] == "fail"]
    assert {"token", "account", "permission", "stack"} <= {check["name"] for check in checks}

    destroy = project.flowflare("destroy", "--yes", **environ)
    assert destroy.returncode == 0, destroy.stderr
    assert project.account.is_empty()


def test_stores_and_consumers_are_created_compared_and_destroyed(
    project: Project, environ: dict[str, str]
) -> None:
    def run(*words: str) -> Any:
        result = project.flowflare(*words, "--json", **environ)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def find_drift() -> list[Any]:
        [stack] = run("drift")["stacks"]
        assert stack["unknown"] == []
        return list(stack["findings"])

    configure(project)
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    pulumi(project, environ, "up", "--yes", "--skip-preview", "--stack", "local")
    assert project.account.list_stores() == list(STORES.values())
    pulumi(project, environ, "preview", "--expect-no-changes", "--stack", "local")
    assert PASSWORD not in pulumi(project, environ, "stack", "export", "--stack", "local")
    assert not [change for change in run("preview")["resources"] if change["op"] != "same"]
    assert find_drift() == []

    queue = next(
        queue for queue in project.account.get("/queues") if queue["queue_name"] == STORES["ORDERS"]
    )
    [consumer] = queue["consumers"]
    body = {"type": "worker", "script_name": consumer["script_name"], "settings": {"batch_size": 7}}
    path = f"/queues/{queue['queue_id']}/consumers/{consumer['consumer_id']}"
    project.account.put(path, body)
    paths = {finding["path"] for finding in find_drift()}
    assert {"settings.batch_size", "dead_letter_queue"} <= paths

    # The fake plugin does not update the inputs of a refreshed resource, so an `up` after a refresh
    # would not revert this change.
    destroy = project.flowflare("destroy", "--yes", **environ)
    assert destroy.returncode == 0, destroy.stderr
    assert project.account.list_stores() == []
    assert project.account.is_empty()


def test_modules_and_static_assets_are_uploaded_as_by_the_embedded_engine(
    project: Project, environ: dict[str, str]
) -> None:
    write_shop(project.root)
    project.configure(
        f"flowflare:clients: {json.dumps({'shop': SHOP | {'uploadSourceMaps': True}})}"
    )
    (project.root / "worker_src/add.wasm").write_bytes(ADD)
    (project.root / "worker_src/shop.js").write_text(f"import './add.wasm';\n{SOURCE}")
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    first = project.flowflare("up", "--yes", "--json", **environ)
    assert first.returncode == 0, first.stdout + first.stderr
    url = json.loads(first.stdout)["outputs"]["client_urls"]["shop"]
    project.account.settle()
    said = [httpx.get(f"{url}{path}", timeout=PATIENCE).text for path in ("/", "/about", "/else")]
    assert said == ["home", "about", "worker"]

    (project.root / "public/index.html").write_text("changed")
    last = project.account.find_last_request()
    again = project.flowflare("up", "--yes", "--json", **environ)
    assert json.loads(again.stdout)["changed"] == 1, again.stdout
    writes = [path.rpartition("/")[2] for path in project.account.list_writes(last)]
    assert writes == ["assets-upload-session", "upload", "local-flowflare-shop"]
    project.account.settle()
    assert httpx.get(url, timeout=PATIENCE).text == "changed"


def test_sql_that_d1_refuses_stops_an_up_before_it_makes_the_database(
    project: Project, environ: dict[str, str]
) -> None:
    (project.root / "shop").mkdir()
    (project.root / "shop/0001_nowhere.sql").write_text(
        "CREATE VIEW late AS SELECT * FROM nowhere;\nINSERT INTO nowhere VALUES (1);\n"
    )
    databases = {"SHOP": {"name": "shop", "migrations": "shop"}}
    project.configure(
        f"flowflare:clientOverrides: {json.dumps({'orders': {'databases': databases}})}"
    )
    # The CLI writes below the configuration, so that this comes after it.
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    refused = project.flowflare("up", "--yes", **environ)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "0001_nowhere.sql:2: does-not-apply" in refused.stderr
    assert "Nothing was changed" in refused.stderr
    assert project.account.list_databases() == []

    (project.root / "shop/0001_nowhere.sql").write_text("CREATE TABLE somewhere (id INTEGER);\n")
    mended = project.flowflare("up", "--yes", **environ)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "shop" in project.account.list_databases()
