"""A tenant whose API key cannot be sent is not healthy; the other tenants are deployed."""

from collections.abc import Iterable, Iterator

import httpx
import pytest

from flowflare.errors import RolloutError
from flowflare.fleet.rollout.health import Checker
from flowflare.fleet.rollout.rollout import Rollout, RolloutRules
from flowflare.fleet.tenants.model import Health
from flowflare.fleet.workers.pool import Result, Task
from flowflare.rollout import health
from tests.unit.fleet.fleets import FakeRunner, World, make_plan, make_tenants

KEY = "ff_prod_1_canary"


class OneBadKey(FakeRunner):
    """Deploy suspended tenants, and t02 with a key that ends with a line break."""

    def run(self, tasks: Iterable[Task], on_event=None) -> Iterator[Result]:
        for result in super().run(tasks, on_event):
            ill = result.task.stack == "t02-prod"
            outputs = {"service_url": "http://127.0.0.1:9", "api_key": f"{KEY}\n"} if ill else {}
            yield Result(result.task, ok=True, value={"outputs": outputs})


def test_a_key_that_cannot_be_sent_fails_only_its_tenant() -> None:
    world, asked = World(), make_tenants(4)
    plan = make_plan(world, asked, waves=(1, "100%"))
    with httpx.Client() as http:
        checker = Checker(http, Health())
        rollout = Rollout(
            plan,
            OneBadKey(world, "1"),
            world,
            checker,
            world.events.append,
            RolloutRules(max_failures=9),
        )
        assert rollout.run() is not None
    assert rollout.progress.unhealthy == ("t02",)
    assert rollout.progress.done == ("t01", "t03", "t04")
    [failed] = [event for event in world.events if event.event == "tenant-failed"]
    assert (failed.tenant, failed.stack) == ("t02", "t02-prod")
    assert "cannot be sent" in failed.error
    assert "printf" in failed.remedy
    assert KEY not in repr(world.events)


def test_a_rotation_names_the_generation_that_cannot_be_sent() -> None:
    stack = health.StackEndpoints("http://127.0.0.1:9", {}, {2: "ff_2", 1: f"{KEY}\n"})
    with pytest.raises(RolloutError, match="not healthy: generation 1 of the API key") as refused:
        health.check(stack)
    assert KEY not in str(refused.value)


def test_a_dropped_generation_that_cannot_be_sent_counts_as_refused() -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as http:
        stack = health.StackEndpoints(
            "http://service.test", {}, {2: "ff_2"}, refused={1: f"{KEY}\n"}
        )
        assert health.check(stack, http=http)[1] == "generation 1 does not any more"
