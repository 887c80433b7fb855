"""What wrangler deployed from the output of `flowflare render` is adopted without changes."""

import json
from pathlib import Path

import httpx
import pytest

from flowflare.cli.drift import look
from flowflare.config.files import read_project_file
from tests.e2e.conftest import ROOT, Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import KEY, ManualAccount, open_manual_account
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
FILES = sorted((ROOT / "migrations").glob("*.sql"))
LEDGER = """
CREATE TABLE d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
"""
SERVICE, ORDERS = "local-flowflare-service", "local-flowflare-orders"


def write_first_config(folder: Path) -> str:
    """Write the service's configuration without the clients' Workflows, which do not exist yet."""
    text = (folder / "wrangler.jsonc").read_text()
    config = json.loads(text[text.index("{") :])
    config.pop("workflows")
    (folder / "first.json").write_text(json.dumps(config))
    return "first.json"


def install(manual: ManualAccount) -> str:
    """Deploy everything with wrangler; return the database's ID."""
    uuid = manual.create_database("local-flowflare-db", *FILES)
    # `wrangler d1 migrations apply` leaves this record beside the tables.
    names = ", ".join(f"('{file.name}')" for file in FILES)
    manual.run_sql(uuid, f"{LEDGER}INSERT INTO d1_migrations (name) VALUES {names};")
    folders = manual.render(database_id=uuid)
    service, orders = folders[SERVICE], folders[ORDERS]
    key = {"SERVICE_API_KEY": KEY}
    manual.wrangler(service, "deploy", "--config", write_first_config(service), secrets=key)
    manual.wrangler(orders, "deploy", secrets={"WORKFLOW_API_KEY": KEY})
    manual.wrangler(service, "deploy")
    return uuid


def list_runs(url: str) -> list[str]:
    headers = {"X-API-Key": KEY}
    answer = httpx.post(f"{url}/service/list-workflows", json={}, headers=headers, timeout=PATIENCE)
    return [run["id"] for run in answer.raise_for_status().json()["workflows"]]


@pytest.mark.long
def test_a_wrangler_deployment_is_adopted_and_the_next_up_writes_nothing(
    project: Project, cloudflare: Cloudflare
) -> None:
    with open_manual_account(project, cloudflare) as manual:
        uuid = install(manual)
        service = manual.read_url(SERVICE)
        httpx.post(
            f"{manual.read_url(ORDERS)}/orders", json={}, timeout=PATIENCE
        ).raise_for_status()
        runs = list_runs(service)
        rows = manual.run_sql(uuid, "SELECT id, name, applied_at FROM d1_migrations")

        last = project.account.find_last_request()
        found = json.loads(manual.adopt("--dry-run", "--json").out)
        assert {entry["status"] for entry in found["entries"]} == {"found", "kept"}
        assert (found["dry_run"], found["next_changes"]) == (True, 0)
        assert manual.plan_changes() != {}
        wrong = project.root / "wrong.txt"
        wrong.write_text("another-key-than-the-service-has")
        error = manual.run("adopt", "--api-key-file", str(wrong), code=1).err
        assert "refuses the API key" in error
        manual.adopt()
        writes = [
            write for write in project.account.list_writes(last) if not write.endswith("/query")
        ]
        assert writes == []
        assert manual.run_sql(uuid, "SELECT id, name, applied_at FROM d1_migrations") == rows

        assert "Nothing would change" in manual.run("preview").out
        last = project.account.find_last_request()
        manual.run("up", "--yes")
        assert project.account.list_writes(last) == []
        assert not look(read_project_file(project.root), ["local"]).stacks[0].findings
        assert list_runs(service) == runs != []
