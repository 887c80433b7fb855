"""The number of API calls that a preview foresees is the number that the run makes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flowflare.engine.events import Plan
from flowflare.review.changes import review
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.shop import MAILS, make_shop, write

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def calls(project: Project, plan: Plan, run: Callable[[], object]) -> tuple[int, int]:
    """How many calls a plan foresees, and how many the run makes."""
    since = project.account.last_request()
    run()
    return review(plan).api_calls, len(project.account.requests(since))


def test_what_is_foreseen_is_what_is_asked(tmp_path: Path, cloudflare: Cloudflare) -> None:
    shop = make_shop(tmp_path / "shop", cloudflare)
    stack = shop.stack()
    foreseen, made = calls(shop, stack.preview(), stack.up)
    assert foreseen == made > 20
    assert calls(shop, stack.preview(), stack.up) == (0, 0)

    write(shop, "worker_src/mails/src/index.js", MAILS.replace("no mail", "new mail"))
    write(shop, "worker_src/mails/migrations/0002_sent.sql", "CREATE INDEX i ON mail (text);\n")
    foreseen, made = calls(shop, stack.preview(), stack.up)
    assert foreseen == made > 2

    held = [step.name for step in stack.plan_destroy().steps if step.protected]
    plan = stack.plan_destroy(lose_data=held)
    foreseen, made = calls(shop, plan, lambda: stack.destroy(lose_data=held))
    assert foreseen == made > 5
    assert shop.account.holds_nothing()
