"""An install that wrangler made of `flowflare render`'s output comes into state as it is."""

import json
from pathlib import Path

import httpx
import pytest

from flowflare.cli.drift import look
from tests.e2e.by_hand import KEY, ByHand, by_hand
from tests.e2e.conftest import ROOT, Project
from tests.e2e.embedded import Cloudflare
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


def first_deployment(folder: Path) -> str:
    """The service's configuration before the clients, whose Workflows it binds, are there."""
    text = (folder / "wrangler.jsonc").read_text()
    config = json.loads(text[text.index("{") :])
    config.pop("workflows")
    (folder / "first.json").write_text(json.dumps(config))
    return "first.json"


def installed(hand: ByHand) -> str:
    """Deploys all of it by wrangler; returns the database's id."""
    uuid = hand.database("local-flowflare-db", *FILES)
    # What `wrangler d1 migrations apply` leaves beside the tables.
    names = ", ".join(f"('{file.name}')" for file in FILES)
    hand.sql(uuid, f"{LEDGER}INSERT INTO d1_migrations (name) VALUES {names};")
    folders = hand.rendered(database_id=uuid)
    service, orders = folders[SERVICE], folders[ORDERS]
    key = {"SERVICE_API_KEY": KEY}
    hand.wrangler(service, "deploy", "--config", first_deployment(service), secrets=key)
    hand.wrangler(orders, "deploy", secrets={"WORKFLOW_API_KEY": KEY})
    hand.wrangler(service, "deploy")
    return uuid


def listed(url: str) -> list[str]:
    headers = {"X-API-Key": KEY}
    answer = httpx.post(f"{url}/service/list-workflows", json={}, headers=headers, timeout=PATIENCE)
    return [run["id"] for run in answer.raise_for_status().json()["workflows"]]


@pytest.mark.long
def test_it_is_taken_over_and_the_next_up_writes_nothing(
    project: Project, cloudflare: Cloudflare
) -> None:
    with by_hand(project, cloudflare) as hand:
        uuid = installed(hand)
        service = hand.url(SERVICE)
        httpx.post(f"{hand.url(ORDERS)}/orders", json={}, timeout=PATIENCE).raise_for_status()
        runs = listed(service)
        rows = hand.sql(uuid, "SELECT id, name, applied_at FROM d1_migrations")

        last = project.account.last_request()
        looked = json.loads(hand.adopt("--dry-run", "--json").out)
        assert {one["status"] for one in looked["entries"]} == {"found", "kept"}
        assert (looked["dry_run"], looked["next_changes"]) == (True, 0)
        assert hand.changes() != {}
        wrong = project.root / "wrong.txt"
        wrong.write_text("another-key-than-the-service-has")
        said = hand.run("adopt", "--api-key-file", str(wrong), code=1).err
        assert "refuses the API key" in said
        hand.adopt()
        queries = [one for one in project.account.writes(last) if not one.endswith("/query")]
        assert queries == []
        assert hand.sql(uuid, "SELECT id, name, applied_at FROM d1_migrations") == rows

        assert "Nothing would change" in hand.run("preview").out
        last = project.account.last_request()
        hand.run("up")
        assert project.account.writes(last) == []
        assert not look(project.root, ["local"]).stacks[0].findings
        assert listed(service) == runs != []
