"""The number of API calls that a preview foresees is the number that the run makes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flowflare.review.changes import review
from flowflare.values.events import Plan
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.shop import CONFIG, MAILS, make_shop, write, write_clients

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
UNKNOWN = {"TOMORROW": {"type": "thing_of_tomorrow", "deep": {"number": 1}}}


def calls(project: Project, plan: Plan, run: Callable[[], object]) -> tuple[int, int]:
    """How many calls a plan foresees, and how many the run makes."""
    since = project.account.last_request()
    run()
    return review(plan).api_calls, len(project.account.requests(since))


def up(project: Project) -> tuple[int, int]:
    return calls(project, project.stack().preview(), project.stack().up)


def test_what_is_foreseen_is_what_is_asked(tmp_path: Path, cloudflare: Cloudflare) -> None:
    shop = make_shop(tmp_path / "shop", cloudflare)
    foreseen, made = up(shop)
    assert foreseen == made > 20
    assert up(shop) == (0, 0)

    write(shop, "worker_src/mails/src/index.js", MAILS.replace("no mail", "new mail"))
    write(shop, "worker_src/mails/migrations/0002_sent.sql", "CREATE INDEX i ON mail (text);\n")
    config = json.loads(json.dumps(CONFIG))
    mails = config["flowflare:clients"]["value"]["mails"]
    del mails["variables"]["DEBUG"]
    write_clients(shop, config)
    foreseen, made = up(shop)
    assert foreseen == made == 3 + 1, "the ledger, a bookmark and a file; the script"

    mails |= {"crons": ["0 3 * * *"], "bindings": UNKNOWN}
    config["flowflare:clients"]["value"]["orders"]["workersDev"] = False
    write_clients(shop, config)
    foreseen, made = up(shop)
    assert foreseen == made > 3

    destroyed = shop.stack()
    held = [step.name for step in destroyed.plan_destroy().steps if step.protected]
    plan = destroyed.plan_destroy(lose_data=held)
    foreseen, made = calls(shop, plan, lambda: destroyed.destroy(lose_data=held))
    assert foreseen == made > 5
    assert shop.account.holds_nothing()
