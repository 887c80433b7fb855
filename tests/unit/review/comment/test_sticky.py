"""A pull request keeps one comment, whatever else happens there."""

import threading
import time

import pytest

from flowflare.errors import CommentError
from flowflare.review.comment.marker import ShownPlan, compose
from flowflare.review.comment.target import CommentTarget
from tests.support.waiting import PATIENCE
from tests.unit.review.comment.conftest import Clock, Runs
from tests.unit.review.comment.forge import BOT, REPOSITORY, A, B, C, Fault, Forge

HIDDEN = compose(ShownPlan("plan", A, (999, 1), "All is well."))


def test_the_first_run_creates_the_comment_and_the_next_updates_it(
    runs: Runs, forge: Forge
) -> None:
    assert [runs.run(1).action, runs.run(2).action] == ["created", "updated"]
    (body,) = forge.by()
    assert "Plan of run 2." in body
    assert "Out of date" not in body


@pytest.mark.parametrize("size", [30, 100])
def test_the_comment_is_found_among_250_others(runs: Runs, forge: Forge, size: int) -> None:
    forge.page = size
    for number in range(250):
        if number == 137:
            forge.say(BOT, compose(ShownPlan("plan", B, (1, 1), "Old.")))
        forge.say(f"person-{number % 9}", f"Comment {number}")
    assert runs.run(2).action == "updated"
    assert len(forge.by()) == 1
    assert len(forge.comments) == 251
    assert forge.count("POST") == 1  # to ask for the token's user


def test_the_same_plan_is_not_written_twice(runs: Runs, forge: Forge, clock: Clock) -> None:
    runs.run(1)
    clock.waits.clear()
    assert runs.run(1).action == "unchanged"
    assert forge.count("PATCH") == 0
    assert clock.waits == []


def test_a_marker_planted_by_another_user_is_ignored(runs: Runs, forge: Forge) -> None:
    forge.say("mallory", HIDDEN)
    assert runs.run(1).action == "created"
    assert forge.by("mallory") == [HIDDEN]
    assert "Plan of run 1." in forge.by()[0]


@pytest.mark.parametrize(
    "quoted", [f"> {HIDDEN}", f"Coverage of:\n{HIDDEN}", f" {HIDDEN}", HIDDEN.upper()]
)
def test_another_bot_that_quotes_a_marker_is_ignored(runs: Runs, forge: Forge, quoted: str) -> None:
    forge.say(BOT, quoted)
    assert runs.run(1).action == "created"
    assert forge.by()[0] == quoted


def test_comments_with_two_names_exist_side_by_side(runs: Runs, forge: Forge) -> None:
    runs.run(1)
    runs.run(1, name="stock", content="Plan of stock.")
    assert runs.run(2).action == "updated"
    assert ["Plan of run 2." in body for body in forge.by()] == [True, False]


def test_a_comment_of_a_later_release_is_updated_not_duplicated(runs: Runs, forge: Forge) -> None:
    forge.say(BOT, "<!-- flowflare-comment plan form=9 -->\nFrom the future.")
    assert runs.run(1).action == "updated"
    assert len(forge.by()) == 1


def test_an_older_run_for_the_same_commit_loses(runs: Runs, forge: Forge) -> None:
    runs.run(20)
    assert runs.run(19).action == "left"
    assert "Plan of run 20." in forge.by()[0]


def test_a_run_for_an_older_commit_loses_even_with_a_higher_number(
    runs: Runs, forge: Forge
) -> None:
    forge.head = B
    runs.run(5, B)
    assert runs.run(6, A).action == "left"
    assert "Plan of run 5." in forge.by()[0]


def test_a_run_whose_head_has_moved_says_so_in_its_comment(runs: Runs, forge: Forge) -> None:
    forge.head = B
    assert runs.run(1, A).action == "created"
    (body,) = forge.by()
    assert "Out of date" in body
    assert f"<code>{A[:12]}</code>; the head is now <code>{B[:12]}</code>" in body
    assert "A new plan is being made." in body


def test_the_new_plan_removes_the_notice(runs: Runs, forge: Forge) -> None:
    forge.head = B
    runs.run(1, A)
    runs.run(2, B)
    assert "Out of date" not in forge.by()[0]


def test_a_head_that_moves_during_the_write_is_noticed(
    runs: Runs, forge: Forge, clock: Clock
) -> None:
    clock.during = lambda: setattr(forge, "head", B)
    runs.run(1, A)
    assert "Out of date" in forge.by()[0]


def test_stale_marks_an_existing_comment_and_creates_none(runs: Runs, forge: Forge) -> None:
    assert runs.mark_stale().action == "none"
    runs.run(1, A)
    assert runs.mark_stale().action == "unchanged"
    forge.head = B
    assert [runs.mark_stale().action, runs.mark_stale().action] == ["updated", "unchanged"]
    (body,) = forge.by()
    assert "Out of date" in body
    assert "Plan of run 1." in body


def test_a_failed_plan_is_not_announced_as_being_made(runs: Runs, forge: Forge) -> None:
    runs.run(1, A)
    forge.head = B
    page = "https://github.com/acme/shop/actions/runs/2"
    runs.mark_stale(
        CommentTarget("github", forge.url, REPOSITORY, 7, B, (2, 1), page=page, failed=True)
    )
    assert f"its plan failed: [its log]({page})" in forge.by()[0]


def test_a_plan_that_failed_for_an_older_commit_does_not_count_for_the_head(
    runs: Runs, forge: Forge
) -> None:
    runs.run(1, A)
    forge.head = C
    runs.mark_stale(CommentTarget("github", forge.url, REPOSITORY, 7, B, (2, 1), failed=True))
    assert "A new plan is being made." in forge.by()[0]


def test_only_changes_creates_no_comment_but_updates_an_existing_one(
    runs: Runs, forge: Forge
) -> None:
    assert runs.run(1, may_create=False).action == "none"
    runs.run(2)
    assert runs.run(3, may_create=False).action == "updated"


def test_of_several_comments_the_oldest_stays_with_the_newest_plan(
    runs: Runs, forge: Forge
) -> None:
    for number in (3, 9, 5):
        forge.say(BOT, compose(ShownPlan("plan", A, (number, 1), f"Plan of run {number}.")))
    outcome = runs.run(4)
    assert (outcome.action, outcome.removed) == ("left", (2, 3))
    assert [comment["id"] for comment in forge.comments] == [1]
    assert "Plan of run 9." in forge.by()[0]


def test_two_runs_that_read_before_either_writes_leave_one_comment(
    runs: Runs, forge: Forge
) -> None:
    barrier = threading.Barrier(2)
    looked = threading.local()

    def meet(method: str, path: str) -> None:
        if method == "POST" and "/comments" in path and not getattr(looked, "met", False):
            looked.met = True
            barrier.wait(PATIENCE)

    forge.before = meet
    _at_once(runs, [(1, A), (2, A)])
    assert forge.count("POST") == 4  # both created a comment, and both asked for their user
    (body,) = forge.by()
    assert "Plan of run 2." in body


def test_eight_concurrent_runs_leave_the_newest_plan_of_the_head(runs: Runs, forge: Forge) -> None:
    forge.head = C
    _at_once(runs, [(number, C if number < 5 else A) for number in range(1, 9)])
    (body,) = forge.by()
    assert "Plan of run 4." in body
    assert "Out of date" not in body


def test_a_slow_older_run_that_overwrites_a_newer_run_is_repaired(
    runs: Runs, forge: Forge, clock: Clock
) -> None:
    runs.run(1)
    older = compose(ShownPlan("plan", A, (2, 1), "Plan of run 2."))
    late = iter([older])
    clock.during = lambda: forge.comments[0].update(body=next(late, forge.by()[0]))
    assert runs.run(3).action == "updated"
    assert "Plan of run 3." in forge.by()[0]


@pytest.mark.parametrize("fault", [Fault("POST", after=True), Fault("POST", 502, after=True)])
def test_a_response_lost_after_a_create_does_not_lead_to_two_comments(
    runs: Runs, forge: Forge, fault: Fault
) -> None:
    def once_known(method: str, path: str) -> None:
        if method == "POST" and "/comments" in path and fault not in seen:
            seen.append(fault)
            forge.faults.append(fault)

    seen: list[Fault] = []
    forge.before = once_known
    assert runs.run(1).action == "unchanged"
    assert len(forge.by()) == 1
    assert forge.faults == []


def test_a_comment_deleted_during_a_run_is_created_again(runs: Runs, forge: Forge) -> None:
    runs.run(1)
    deletion = iter([forge.comments.clear])
    forge.before = lambda method, _: next(deletion, lambda: None)() if method == "PATCH" else None
    assert runs.run(2).action == "created"
    assert "Plan of run 2." in forge.by()[0]


def test_a_comment_deleted_by_a_user_is_created_again_by_the_next_run(
    runs: Runs, forge: Forge
) -> None:
    runs.run(1)
    forge.comments.clear()
    assert runs.run(2).action == "created"


def test_endless_conflicts_end_with_an_error(runs: Runs, forge: Forge, clock: Clock) -> None:
    clock.during = lambda: forge.comments[0].update(
        body=compose(ShownPlan("plan", B, (1, 1), "No."))
    )
    with pytest.raises(CommentError, match="as fast as this run does"):
        runs.run(2)


def _at_once(runs: Runs, wanted: list[tuple[int, str]]) -> None:
    """Run in threads, with a clock that really waits."""
    real = Clock()
    real.sleep = time.sleep  # type: ignore[method-assign]
    problems: list[BaseException] = []

    def run_once(number: int, head: str) -> None:
        try:
            Runs(runs.forge, real).run(number, head, settle=0.1)
        except BaseException as error:  # noqa: BLE001 -- raised again in the test
            problems.append(error)

    threads = [threading.Thread(target=run_once, args=pair) for pair in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
