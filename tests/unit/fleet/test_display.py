"""The live display of a rollout: its progress, the remaining time, and the tenants' progress."""

import contextlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from threading import Timer

from flowflare.cli.fleet.display import Picture, describe_event, describe_stop, show_rollout
from flowflare.fleet.forwarder.state import BudgetState
from flowflare.fleet.rollout import events
from tests.support.waiting import PATIENCE


@dataclass
class Budget:
    left: int | None = 900
    seconds: float = 0.0

    def state(self) -> BudgetState:
        return BudgetState(self.left, 1100, 300.0)

    def forecast(self, calls: int) -> float:
        return self.seconds * calls


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def begin_rollout(clock: Clock, budget: Budget | None = None) -> Picture:
    """Show ten tenants in two waves; the canary took 4 s and 20 calls, two others are running."""
    picture = Picture(clock=clock, workers=2, budget=budget)
    names = tuple(f"t{number}" for number in range(10))
    for event in (
        events.RolloutBegan(
            rollout="r",
            environment="prod",
            resumed=False,
            unchanged=3,
            through=0,
            waves=(names[:1], names[1:]),
        ),
        events.WaveBegan(wave=2, of=2, tenants=names[1:]),
        events.TenantBegan(tenant="t0", stack="t0-prod", doing="up"),
        events.HealthChecked(tenant="t0", stack="t0-prod", healthy=True, found=(), seconds=2),
        events.TenantDone(tenant="t0", stack="t0-prod", outcome="applied", seconds=4, api_calls=20),
        events.TenantBegan(tenant="t1", stack="t1-prod", doing="up"),
        events.TenantBegan(tenant="t2", stack="t2-prod", doing="up"),
    ):
        picture.take(event)
    return picture


def test_the_remaining_time_is_estimated_from_the_tenants_so_far() -> None:
    """Seven wait, two have run for 3 of 4 s, two run at a time, and a check takes 2 s."""
    clock = Clock()
    picture = begin_rollout(clock)
    clock.now += 3
    assert picture.waiting == 7
    assert picture.seconds_to_go() == (7 * 4 + 2 * 1) / 2 + 2
    assert picture.summary() == "wave 2 of 2: 1 done, 2 running, 7 waiting, about 17 s to go"


def test_the_rate_limit_may_determine_the_remaining_time() -> None:
    """Nine tenants make 20 calls each, at one call a second."""
    picture = begin_rollout(Clock(), Budget(left=120, seconds=1))
    assert picture.seconds_to_go() == 9 * 20 + 2
    assert "120 of 1100 calls left, about 3 min to go" in picture.summary()


def test_the_remaining_time_is_unknown_before_the_first_tenant_is_done() -> None:
    assert Picture(total=3).seconds_to_go() is None


def test_a_stopped_rollout_lists_the_tenants_by_progress() -> None:
    where = events.TenantsByProgress(
        done=("a", "b"), failed=("c",), waiting=tuple(map(str, range(20)))
    )
    event = events.Stopped(rollout="r", reason="c failed", where=where, remedy="", seconds=7)
    assert describe_stop(event).splitlines() == [
        "Stopped after 7 s: c failed.",
        "  done          2  a, b",
        "  failed        1  c",
        "  not begun    20  0, 1, 2, 3, 4, 5, 6, 7 and 12 more",
    ]


def test_json_is_one_event_a_line(capsys) -> None:
    with show_rollout(Picture(), json=True) as emit:
        emit(events.WaveBegan(at="now", wave=1, of=2, tenants=("ä\n",)))
    assert capsys.readouterr().out == (
        '{"event": "wave-began", "at": "now", "wave": 1, "of": 2, "tenants": ["ä\\n"]}\n'
    )


def test_steps_and_failed_checks_have_no_line_of_their_own() -> None:
    """Steps are for the live display, and a failure is reported once."""
    ill = events.HealthChecked(tenant="a", stack="a-prod", healthy=False, found=("no",), seconds=1)
    assert describe_event(ill) == ""
    step = events.TenantStep(tenant="a", stack="a-prod", kind="failed", message="no")
    failed = events.TenantFailed(
        tenant="a", stack="a-prod", outcome="failed", error="no\n  really", remedy="Say yes."
    )
    assert describe_event(step) == ""
    assert describe_event(failed).splitlines()[1:] == ["        really", "      Say yes."]


DRAWN = re.compile(rb"[1-9]\d* done, \d running, \d+ waiting, about \d+ (s|min) to go")
LIVE = """
import sys
from flowflare.cli.fleet.display import Picture, show_rollout
from flowflare.fleet.rollout import events

names = tuple(f"t{number}" for number in range(1500))
with show_rollout(Picture(), json=False) as emit:
    emit(events.RolloutBegan(
        rollout="r", environment="prod", resumed=False, unchanged=0, through=0, waves=(names,)
    ))
    for name in names:
        if name == "t750":
            sys.stdin.readline()  # until the terminal shows what has been drawn
        emit(events.TenantBegan(tenant=name, stack=f"{name}-prod", doing="up"))
        emit(events.TenantDone(tenant=name, stack=f"{name}-prod", outcome="applied", seconds=1))
"""


def test_a_terminal_shows_it_live() -> None:
    """Lines are printed while the display redraws itself; neither waits for the other."""
    ours, theirs = os.openpty()
    words = [sys.executable, "-c", LIVE]
    environ = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs, env=environ
    ) as process:
        assert process.stdin is not None
        os.close(theirs)
        stuck = Timer(PATIENCE, process.kill)
        stuck.start()
        text = b""
        with contextlib.suppress(OSError):  # EIO, when the other end of the terminal is closed
            while part := os.read(ours, 65536):
                text += part
                if DRAWN.search(text) and not process.stdin.closed:
                    process.stdin.close()
        stuck.cancel()
    os.close(ours)
    assert process.returncode == 0
    assert b"t1499                    applied" in text
    assert DRAWN.search(text)
