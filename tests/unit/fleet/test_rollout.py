"""A rollout: waves, what stops it, who is where, and going on after a kill at any moment."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fleet.fleets import Killed, World, planned, roll, tenants


def test_everybody_is_brought_up_in_waves() -> None:
    world, asked = World(), tenants(5)
    rollout = roll(world, planned(world, asked, waves=(1, "50%", "100%")))
    assert rollout.well
    assert [len(one.tenants) for one in world.events if one.event == "wave-began"] == [1, 2, 2]
    assert world.names("tenant-done") == world.ups == ["t01", "t02", "t03", "t04", "t05"]
    assert {one.outcome for one in world.records.values()} == {"applied"}
    assert rollout.api_calls == 100


def test_who_is_as_they_should_be_is_left_alone() -> None:
    world, asked = World(), tenants(5)
    roll(world, planned(world, asked))
    plan = planned(world, asked, rollout="r2")
    assert (plan.waves, plan.unchanged, plan.through) == ((), tuple(world.ups), ())


def test_a_failure_stops_it_and_says_who_is_where() -> None:
    world, asked = World(broken={"t02"}), tenants(5)
    rollout = roll(world, planned(world, asked, waves=(1, "100%")), command="flowflare fleet up")
    assert not rollout.well
    stopped = world.events[-1]
    assert stopped.event == "stopped"
    assert stopped.reason == "t02 did not come up"
    assert stopped.where.done == ("t01",)
    assert stopped.where.failed == ("t02",)
    assert stopped.where.waiting == ("t03", "t04", "t05")
    assert "of t02 right" in stopped.remedy
    assert stopped.remedy.endswith("flowflare fleet up")
    assert world.records["t02-prod"].outcome == "failed"
    assert world.records["t02-prod"].error == "it is broken"
    assert world.records["t02-prod"].fingerprint is None


def test_the_second_run_begins_with_the_one_that_failed() -> None:
    world, asked = World(broken={"t03"}), tenants(6)
    roll(world, planned(world, asked, waves=(1, "50%", "100%")))
    world.broken.clear()
    plan = planned(world, asked, waves=(1, "50%", "100%"))
    assert plan.resumed
    assert plan.through == ("t01", "t02")
    assert [one.tenants for one in plan.waves] == [("t03",), ("t04", "t05", "t06")]
    assert roll(world, plan).well
    assert sorted(world.ups) == [f"t0{number}" for number in range(1, 7)]


def test_there_is_a_canary_again_when_the_code_has_changed() -> None:
    world, asked = World(broken={"t03"}), tenants(6)
    roll(world, planned(world, asked))
    world.broken.clear()
    plan = planned(world, asked, version="2", waves=(1, "100%"))
    assert plan.through == plan.unchanged == ()
    assert plan.waves[0].tenants == ("t03",)
    assert plan.waves[0].is_canary


@pytest.mark.parametrize("found", ["sick", "late"])
def test_who_is_not_healthy_stops_it_too(found: str) -> None:
    """At once, or at the end of the wave when runs have failed meanwhile."""
    world, asked = World(**{found: {"t02"}}), tenants(4)
    rollout = roll(world, planned(world, asked, waves=(1, 2, "100%")))
    assert not rollout.well
    assert rollout.where.unhealthy == ("t02",)
    assert rollout.where.done == ("t01",)
    assert rollout.where.waiting == ("t03", "t04")
    assert world.records["t02-prod"].outcome == "unhealthy"
    assert world.events[-1].reason == "t02 is not healthy"


def test_it_may_go_on_after_some_failures() -> None:
    """But not after one in the canary's wave; and in the end it was no success."""
    world, asked = World(broken={"t02", "t04"}), tenants(5)
    rollout = roll(world, planned(world, asked), max_failures=3)
    assert not rollout.well
    assert world.ups == ["t01", "t03", "t05"]
    assert world.events[-1].reason == "2 tenants are not as they should be"
    world, asked = World(broken={"t01"}), tenants(5)
    rollout = roll(world, planned(world, asked), max_failures=3)
    assert world.events[-1].reason == "the canary t01 did not come up"
    assert world.ups == []


def test_who_is_held_by_another_run_keeps_the_record() -> None:
    world, asked = World(held={"t02"}), tenants(3)
    rollout = roll(world, planned(world, asked, waves=("100%",)), max_failures=9)
    assert rollout.where.failed == ("t02",)
    assert sorted(world.records) == ["t01-prod", "t03-prod"]


def test_a_person_can_stop_it() -> None:
    """What runs comes to its end, nothing else is begun."""
    world, asked = World(), tenants(3)
    plan = planned(world, asked, waves=("100%",))
    from flowflare.fleet.rollout.rollout import Rollout, Rules
    from tests.unit.fleet.fleets import Checker, Runner

    rollout = Rollout(plan, Runner(world, "1"), world, Checker(world), world.events.append, Rules())
    world.during = lambda stack: rollout.stop("interrupted") if stack == "t02-prod" else None
    assert rollout.run() is world.events[-1]
    assert world.ups == ["t01", "t02"]
    assert world.events[-1].reason == "interrupted"
    assert world.events[-1].remedy.startswith("Run it again")


def test_a_suspended_tenant_is_recorded_as_that() -> None:
    world, asked = World(), tenants(2, t01="suspended")
    roll(world, planned(world, asked))
    assert world.ups == ["t02", "t01"]
    assert world.records["t01-prod"].outcome == "suspended"
    assert planned(world, asked).waves == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=4), st.integers(1, 7))
def test_kills_at_any_moment_lose_nothing(kills: list[int], count: int) -> None:
    """Whoever was done stays done and is not touched again; all others are brought up."""
    world, asked = World(), tenants(count)
    done: list[tuple[int, set[str]]] = []
    for writes in kills:
        world.kill_after = writes
        try:
            roll(world, planned(world, asked))
        except Killed:
            known = {one.stack for one in world.records.values() if one.outcome == "applied"}
            assert all(world.has[stack] == "1" for stack in known)
            done.append((len(world.ups), {stack.removesuffix("-prod") for stack in known}))
    world.kill_after = 1_000_000
    assert roll(world, planned(world, asked)).well
    assert {one.outcome for one in world.records.values()} == {"applied"}
    assert set(world.ups) == {one.name for one in asked}
    for ups, names in done:
        assert not names & set(world.ups[ups:])
