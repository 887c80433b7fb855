"""A preview forecasts the number of API calls that the run makes."""

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


def count_calls(project: Project, plan: Plan, run: Callable[[], object]) -> tuple[int, int]:
    """Return the number of calls that a plan forecasts, and the number that the run makes."""
    since = project.account.find_last_request()
    run()
    return review(plan).api_calls, len(project.account.list_requests(since))


def run_up(project: Project) -> tuple[int, int]:
    return count_calls(project, project.open_stack().preview(), project.open_stack().up)


def test_the_forecast_of_api_calls_is_exact(tmp_path: Path, cloudflare: Cloudflare) -> None:
    shop = make_shop(tmp_path / "shop", cloudflare)
    forecast, made = run_up(shop)
    assert forecast == made > 20
    assert run_up(shop) == (0, 0)

    write(shop, "worker_src/mails/src/index.js", MAILS.replace("no mail", "new mail"))
    write(shop, "worker_src/mails/migrations/0002_sent.sql", "CREATE INDEX i ON mail (text);\n")
    config = json.loads(json.dumps(CONFIG))
    mails = config["flowflare:clients"]["value"]["mails"]
    del mails["variables"]["DEBUG"]
    write_clients(shop, config)
    forecast, made = run_up(shop)
    assert forecast == made == 3 + 1, "the record of migrations, a bookmark, a file, and the script"

    mails |= {"crons": ["0 3 * * *"], "bindings": UNKNOWN}
    config["flowflare:clients"]["value"]["orders"]["workersDev"] = False
    write_clients(shop, config)
    forecast, made = run_up(shop)
    assert forecast == made > 3

    stack = shop.open_stack()
    protected = [step.name for step in stack.plan_destroy().steps if step.protected]
    plan = stack.plan_destroy(lose_data=protected)
    forecast, made = count_calls(shop, plan, lambda: stack.destroy(lose_data=protected))
    assert forecast == made > 5
    assert shop.account.is_empty()
