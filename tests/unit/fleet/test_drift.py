"""Drift of a fleet: equal drift is reported once, and the document has every stack."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace

import pytest

from flowflare.config.engine import engine_named
from flowflare.fleet.preview.drift import FleetDrift, compare_stacks, format_drift
from flowflare.fleet.workers.pool import OnTaskEvent, Result, Task
from flowflare.kinds.drifted import Drifted
from flowflare.review.drift.model import StackDrift


class Shop:
    """Return results as workers do; the stack `broken` could not be compared."""

    def __init__(self) -> None:
        self.runs: set[str] = set()

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        for task in tasks:
            self.runs.add(task.options["run"])
            yield make_result(task)


def make_result(task: Task) -> Result:
    tenant = task.stack.removesuffix("-prod")
    if tenant == "dead":
        return Result(task, ok=False, error="its process ended: signal SIGKILL")
    found = StackDrift(stack=task.stack, engine="embedded", resources=9, api_calls=10)
    if tenant == "broken":
        found = found.model_copy(update={"error": "no token"})
    elif tenant != "fine":
        cron = "0 2 * * *" if tenant == "odd" else "0 1 * * *"
        finding = Drifted(
            kind="extra",
            severity="warning",
            resource="script",
            type="cloudflare:index/workersScript:WorkersScript",
            message=f"cron {cron} of {tenant}-prod-flowflare-service runs, and state has none",
            action="adopt",
            remedy=f"flowflare up --stack {task.stack}",
        )
        found = found.model_copy(update={"findings": (finding,)})
    words = {
        f"{tenant}-prod-flowflare": "<tenant>-<environment>-flowflare",
        f"={task.stack}": "<stack>",
        f"--stack {task.stack}": "--stack <stack>",
    }
    return Result(task, ok=True, value={"drift": found.model_dump(mode="json"), "words": words})


@pytest.fixture
def drift() -> FleetDrift:
    shop, done = Shop(), []
    stacks = [f"{tenant}-prod" for tenant in ("acme", "beta", "odd", "fine", "broken", "dead")]
    session = SimpleNamespace(project="shop", engines=dict.fromkeys(stacks, engine_named("pulumi")))
    made = compare_stacks(session, shop, stacks, done.append)
    assert done == [1, 2, 3, 4, 5, 6]
    assert len(shop.runs) == 1
    return made


def test_equal_drift_is_reported_once_with_placeholders(drift: FleetDrift) -> None:
    text = "\n".join(line.text for line in format_drift(drift))
    assert text.count("cron 0 1 * * *") == 1
    assert "shop/2 stacks: acme-prod, beta-prod" in text
    assert "of <tenant>-<environment>-flowflare-service runs" in text
    assert "flowflare up --stack <stack>" in text


def test_the_drift_of_a_single_stack_has_its_own_words(drift: FleetDrift) -> None:
    text = "\n".join(line.text for line in format_drift(drift))
    assert "shop/odd-prod\n" in text
    assert "cron 0 2 * * * of odd-prod-flowflare-service" in text
    assert "fine-prod" not in text
    assert "it could not be compared: no token" in text
    assert "3 differences were found in 3 of 4 stacks (50 API calls). 2 could not be" in text


def test_stacks_that_could_not_be_compared_come_first(drift: FleetDrift) -> None:
    assert [stacks for stacks, _ in drift.groups] == [
        ("broken-prod",),
        ("dead-prod",),
        ("acme-prod", "beta-prod"),
        ("odd-prod",),
    ]


def test_the_document_has_every_stack(drift: FleetDrift) -> None:
    named = [stack.stack for stack in drift.document.stacks]
    assert named == sorted(named)
    assert len(named) == 6
    assert drift.document.exit_code == 1


def test_a_stack_that_no_worker_could_compare_is_reported_on_its_own_engine(
    drift: FleetDrift,
) -> None:
    [dead] = [stack for stack in drift.document.stacks if stack.stack == "dead-prod"]
    assert dead.engine == "pulumi"
    assert dead.error == "its process ended: signal SIGKILL"
