"""A rollout: its waves, what stops it, its progress, and resuming after a kill at any moment."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fleet.fleets import Killed, World, make_plan, make_tenants, roll


def test_all_tenants_are_deployed_in_waves() -> None:
    world, asked = World(), make_tenants(5)
    rollout = roll(world, make_plan(world, asked, waves=(1, "50%", "100%")))
    assert rollout.succeeded
    waves = [event.tenants for event in world.events if event.event == "wave-began"]
    assert [len(tenants) for tenants in waves] == [1, 2, 2]
    assert world.names("tenant-done") == world.ups == ["t01", "t02", "t03", "t04", "t05"]
    assert {record.outcome for record in world.records.values()} == {"applied"}
    assert rollout.api_calls == 100


def test_an_unchanged_tenant_is_not_deployed_again() -> None:
    world, asked = World(), make_tenants(5)
    roll(world, make_plan(world, asked))
    plan = make_plan(world, asked, rollout="r2")
    assert (plan.waves, plan.unchanged, plan.through) == ((), tuple(world.ups), ())


def test_a_failure_stops_the_rollout_and_lists_the_tenants_by_progress() -> None:
    world, asked = World(broken={"t02"}), make_tenants(5)
    rollout = roll(world, make_plan(world, asked, waves=(1, "100%")), command="flowflare fleet up")
    assert not rollout.succeeded
    stopped = world.events[-1]
    assert stopped.event == "stopped"
    assert stopped.reason == "t02 failed"
    assert stopped.where.done == ("t01",)
    assert stopped.where.failed == ("t02",)
    assert stopped.where.waiting == ("t03", "t04", "t05")
    assert stopped.remedy.startswith("Fix t02, then run the same command again")
    assert stopped.remedy.endswith("flowflare fleet up")
    assert world.records["t02-prod"].outcome == "failed"
    assert world.records["t02-prod"].error == "it is broken"
    assert world.records["t02-prod"].fingerprint is None


def test_the_second_run_begins_with_the_tenant_that_failed() -> None:
    world, asked = World(broken={"t03"}), make_tenants(6)
    roll(world, make_plan(world, asked, waves=(1, "50%", "100%")))
    world.broken.clear()
    plan = make_plan(world, asked, waves=(1, "50%", "100%"))
    assert plan.resumed
    assert plan.through == ("t01", "t02")
    assert [wave.tenants for wave in plan.waves] == [("t03",), ("t04", "t05", "t06")]
    assert roll(world, plan).succeeded
    assert sorted(world.ups) == [f"t0{number}" for number in range(1, 7)]


def test_there_is_a_canary_again_when_the_code_has_changed() -> None:
    world, asked = World(broken={"t03"}), make_tenants(6)
    roll(world, make_plan(world, asked))
    world.broken.clear()
    plan = make_plan(world, asked, version="2", waves=(1, "100%"))
    assert plan.through == plan.unchanged == ()
    assert plan.waves[0].tenants == ("t03",)
    assert plan.waves[0].is_canary


@pytest.mark.parametrize("found", ["sick", "late"])
def test_an_unhealthy_tenant_stops_the_rollout(found: str) -> None:
    """It is found after its `up`, or at the end of the wave if runs have failed meanwhile."""
    world, asked = World(**{found: {"t02"}}), make_tenants(4)
    rollout = roll(world, make_plan(world, asked, waves=(1, 2, "100%")))
    assert not rollout.succeeded
    assert rollout.progress.unhealthy == ("t02",)
    assert rollout.progress.done == ("t01",)
    assert rollout.progress.waiting == ("t03", "t04")
    assert world.records["t02-prod"].outcome == "unhealthy"
    assert world.events[-1].reason == "t02 is not healthy"


def test_a_rollout_may_continue_after_some_failures() -> None:
    """It does not continue after a failure in the canary's wave, and it fails in the end."""
    world, asked = World(broken={"t02", "t04"}), make_tenants(5)
    rollout = roll(world, make_plan(world, asked), max_failures=3)
    assert not rollout.succeeded
    assert world.ups == ["t01", "t03", "t05"]
    assert world.events[-1].reason == "2 tenants are failed or unhealthy"
    world, asked = World(broken={"t01"}), make_tenants(5)
    rollout = roll(world, make_plan(world, asked), max_failures=3)
    assert world.events[-1].reason == "the canary t01 failed"
    assert world.ups == []


def test_a_tenant_that_another_run_locks_keeps_its_record() -> None:
    world, asked = World(held={"t02"}), make_tenants(3)
    rollout = roll(world, make_plan(world, asked, waves=("100%",)), max_failures=9)
    assert rollout.progress.failed == ("t02",)
    assert sorted(world.records) == ["t01-prod", "t03-prod"]


def test_a_stopped_rollout_finishes_its_runs_and_begins_no_more() -> None:
    world, asked = World(), make_tenants(3)
    plan = make_plan(world, asked, waves=("100%",))
    from flowflare.fleet.rollout.rollout import Rollout, RolloutRules
    from tests.unit.fleet.fleets import FakeChecker, FakeRunner

    runner, checker = FakeRunner(world, "1"), FakeChecker(world)
    rollout = Rollout(plan, runner, world, checker, world.events.append, RolloutRules())
    world.during = lambda stack: rollout.stop("interrupted") if stack == "t02-prod" else None
    assert rollout.run() is world.events[-1]
    assert world.ups == ["t01", "t02"]
    assert world.events[-1].reason == "interrupted"
    assert world.events[-1].remedy.startswith("Run the same command again")


def test_a_suspended_tenant_is_recorded_as_suspended() -> None:
    world, asked = World(), make_tenants(2, t01="suspended")
    roll(world, make_plan(world, asked))
    assert world.ups == ["t02", "t01"]
    assert world.records["t01-prod"].outcome == "suspended"
    assert make_plan(world, asked).waves == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=4), st.integers(1, 7))
def test_kills_at_any_moment_lose_nothing(kills: list[int], count: int) -> None:
    """A tenant that was done is not deployed again; all others are deployed."""
    world, asked = World(), make_tenants(count)
    done: list[tuple[int, set[str]]] = []
    for writes in kills:
        world.kill_after = writes
        try:
            roll(world, make_plan(world, asked))
        except Killed:
            records = world.records.values()
            known = {record.stack for record in records if record.outcome == "applied"}
            assert all(world.has[stack] == "1" for stack in known)
            done.append((len(world.ups), {stack.removesuffix("-prod") for stack in known}))
    world.kill_after = 1_000_000
    assert roll(world, make_plan(world, asked)).succeeded
    assert {record.outcome for record in world.records.values()} == {"applied"}
    assert set(world.ups) == {tenant.name for tenant in asked}
    for ups, names in done:
        assert not names & set(world.ups[ups:])
