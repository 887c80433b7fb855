"""Comments on GitLab, which has other routes, and which executes commands in notes."""

import pytest

from tests.unit.review.comment.conftest import Runs
from tests.unit.review.comment.forge import BOT, A, B, Fault, Forge


def test_one_note_is_kept_over_all_pages(gitlab_runs: Runs, forge: Forge) -> None:
    for number in range(210):
        forge.say("system" if number % 3 else "person", f"Note {number}")
    assert [gitlab_runs.run(n).action for n in (1, 2)] == ["created", "updated"]
    (body,) = forge.by()
    assert "Plan of run 2." in body


def test_the_address_of_the_note_is_reported(gitlab_runs: Runs, forge: Forge) -> None:
    outcome = gitlab_runs.run(1)
    assert outcome.comment is not None
    assert outcome.comment.url == f"{forge.url}/merge_requests/7#note_1"


def test_a_system_note_is_never_used_as_the_comment(gitlab_runs: Runs, forge: Forge) -> None:
    gitlab_runs.run(1)
    forge.comments[0]["system"] = True
    assert gitlab_runs.run(2).action == "created"


def test_a_moved_head_marks_the_note(gitlab_runs: Runs, forge: Forge) -> None:
    gitlab_runs.run(1, A)
    forge.head = B
    assert gitlab_runs.mark_stale().action == "updated"
    assert "Out of date" in forge.by()[0]


def test_a_lost_response_does_not_create_a_second_note(gitlab_runs: Runs, forge: Forge) -> None:
    forge.faults.append(Fault("POST", after=True))
    gitlab_runs.run(1)
    assert len(forge.by()) == 1


@pytest.mark.parametrize("line", ["/merge", "  /approve", "\t/close", "/assign @root"])
def test_no_line_of_a_plan_is_executed_as_a_command(
    gitlab_runs: Runs, forge: Forge, line: str
) -> None:
    gitlab_runs.run(1, content=f"Plan.\n{line}\r\n{line}\n\n```\n{line}\n```")
    lines = [text for body in forge.by(BOT) for text in body.splitlines()]
    assert not [text for text in lines if text.lstrip().startswith("/")]
    assert sum(line.strip() in text for text in lines) == 3


def test_a_project_path_is_one_segment_of_the_address(gitlab_runs: Runs, forge: Forge) -> None:
    gitlab_runs.run(1)
    paths = {path for _, path in forge.asked}
    assert "/projects/acme%2Fshop/merge_requests/7" in paths
    assert not [path for path in paths if "acme/shop" in path]
