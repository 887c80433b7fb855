"""From a report's file to the comment: what the report determines, and what it cannot."""

import json
from pathlib import Path
from typing import Any

import pytest

from flowflare.errors import CommentError
from flowflare.review.comment.marker import LIMIT, ShownPlan, compose, read_marker
from flowflare.review.comment.post import CommentRequest, post, read_event
from flowflare.review.comment.target import CommentTarget, detect_target, make_target
from tests.cli.command import flowflare
from tests.unit.review.comment.conftest import Clock
from tests.unit.review.comment.forge import BOT, REPOSITORY, TOKEN, A, B, Forge
from tests.unit.review.comment.test_received import report
from tests.unit.review.comment.test_target import pull

MARKER = compose(ShownPlan("plan", B, (10**9, 9), "All is well."))
HOSTILE = f"{MARKER}\n/merge\n<!-- flowflare-plan -->\n../../../repos/acme/other/issues/1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report()))
    return path


@pytest.fixture
def event(tmp_path: Path) -> Path:
    run = {
        "id": 40,
        "run_attempt": 1,
        "event": "pull_request",
        "status": "completed",
        "conclusion": "success",
        "head_sha": A,
        "head_branch": "feature",
        "head_repository": {"full_name": "mallory/shop"},
    }
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"action": "completed", "workflow_run": run}))
    return path


def job(forge: Forge, event: Path) -> dict[str, str]:
    return {
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": forge.url,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_RUN_ID": "99",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_TOKEN": TOKEN,
    }


def post_report(
    forge: Forge, clock: Clock, file: Path, event: Path, **options: Any
) -> CommentTarget:
    environment = job(forge, event)
    target = detect_target(environment, read_event(environment["GITHUB_EVENT_PATH"]))
    found, _ = post(CommentRequest(file, **options), target, environment, pace=clock.pace)
    return found


def fork(forge: Forge) -> None:
    forge.pulls = [pull(7)]
    forge.pulls[0]["head"]["ref"] = "feature"


def test_a_forks_plan_reaches_its_pull_request(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    fork(forge)
    assert post_report(forge, clock, file, event).number == 7
    (body,) = forge.by()
    assert body.startswith(f"<!-- flowflare-comment plan head={A} run=40.1 -->\n")
    assert f"(https://github.com/{REPOSITORY}/actions/runs/40)" in body


def test_a_report_cannot_choose_target_path_or_marker(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    fork(forge)
    written = report() | {"project": HOSTILE, "unchanged": [HOSTILE, "acme/other#1"]}
    written["notes"] = [{"kind": "other", "text": HOSTILE}]
    written["head"] |= {"name": HOSTILE, "subject": HOSTILE}
    written["base"] |= {"name": HOSTILE, "subject": HOSTILE, "sha": HOSTILE}
    file.write_text(json.dumps(written))
    post_report(forge, clock, file, event)
    paths = {path.partition("?")[0] for _, path in forge.asked}
    assert paths == {
        "/graphql",
        f"/repos/{REPOSITORY}/pulls",
        f"/repos/{REPOSITORY}/pulls/7",
        f"/repos/{REPOSITORY}/issues/7/comments",
    }
    (body,) = forge.by()
    shown = read_marker(body, "plan")
    assert shown is not None
    assert (shown.head, shown.run, shown.notice) == (A, (40, 1), "")
    assert not [line for line in body.splitlines() if line.lstrip().startswith("/")]


def test_a_report_for_another_commit_is_refused(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    fork(forge)
    written = report()
    written["head"]["sha"] = B
    file.write_text(json.dumps(written))
    with pytest.raises(CommentError, match=f"The report is for '{B}', but the run is for {A}"):
        post_report(forge, clock, file, event)
    assert forge.comments == []


def test_a_report_is_not_read_over_the_network(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    file.write_text("{}")
    with pytest.raises(CommentError):
        post_report(forge, clock, file, event)
    assert forge.asked == []


def test_a_report_without_changes_is_posted_unless_only_changes_are_wanted(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    fork(forge)
    post_report(forge, clock, file, event, only_changes=True)
    assert forge.comments == []
    post_report(forge, clock, file, event)
    post_report(forge, clock, file, event, only_changes=True)
    assert len(forge.by()) == 1


def test_a_dry_run_writes_nothing(forge: Forge, clock: Clock, file: Path, event: Path) -> None:
    fork(forge)
    post_report(forge, clock, file, event, dry_run=True)
    assert forge.comments == []
    assert forge.count("POST") == 1  # to ask for the token's user


def test_a_comment_stays_within_the_limit(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    fork(forge)
    written = report() | {"notes": [{"kind": "other", "text": f"Note {n}."} for n in range(9_000)]}
    file.write_text(json.dumps(written))
    post_report(forge, clock, file, event)
    assert len(forge.by()[0]) <= LIMIT


def test_lines_that_look_like_commands_do_not_exceed_the_limit(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    fork(forge)
    entry = {"op": "update", "name": "orders", "type": "a:b:C", "urn": "urn", "risk": "safe"}
    entry |= {"api_calls": 1, "differences": [{"of": "code", "lines": ["/"] * 24_000}]}
    section = {"stacks": ["dev"], "kind": "changed", "review": {"entries": [entry]}}
    file.write_text(json.dumps(report() | {"sections": [section], "exit_code": 2}))
    post_report(forge, clock, file, event)
    (body,) = forge.by()
    assert len(body) <= LIMIT
    assert not [line for line in body.splitlines() if line.lstrip().startswith("/")]


def test_without_a_head_the_head_of_the_pull_request_is_used(
    forge: Forge, clock: Clock, file: Path
) -> None:
    environment = {"GITHUB_API_URL": forge.url, "GITHUB_TOKEN": TOKEN}
    target = make_target("github", REPOSITORY, 7, environment)
    found, outcome = post(CommentRequest(file), target, environment, pace=clock.pace)
    assert (found.head, outcome.action) == (A, "created")


@pytest.mark.parametrize("token", ["", " ", "a\nb", "tokén"])
def test_a_missing_or_invalid_token_is_reported(
    forge: Forge, clock: Clock, file: Path, event: Path, token: str
) -> None:
    target = make_target("github", REPOSITORY, 7, {"GITHUB_API_URL": forge.url})
    with pytest.raises(CommentError, match="GITHUB_TOKEN does not contain a GitHub token"):
        post(CommentRequest(file), target, {"GITHUB_TOKEN": token}, pace=clock.pace)


def test_a_name_that_would_break_the_marker_is_refused(
    forge: Forge, clock: Clock, file: Path, event: Path
) -> None:
    with pytest.raises(CommentError, match="is not a valid comment name"):
        post_report(forge, clock, file, event, name="plan head=0 -->")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_an_invalid_event_is_reported(tmp_path: Path, text: str) -> None:
    path = tmp_path / "event.json"
    path.write_text(text)
    if text[:1] in "{":
        with pytest.raises(CommentError, match="is not valid JSON"):
            read_event(str(path))
    else:
        assert read_event(str(path)) == {}


def test_the_command_prints_what_it_did_and_never_the_token(
    forge: Forge, file: Path, event: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork(forge)
    for name, value in job(forge, event).items():
        monkeypatch.setenv(name, value)
    said = flowflare("comment", "--report", str(file), "--json")
    assert said.code == 0, said.err
    printed = json.loads(said.out)
    assert (printed["action"], printed["number"], printed["head"]) == ("created", 7, A)
    forge.head = B
    again = flowflare("comment", "--stale")
    assert "The comment on acme/shop#7 is updated" in again.err
    forge.identities = {}
    refused = flowflare("comment", "--stale")
    assert refused.code == 1
    assert TOKEN not in said.out + said.err + again.out + again.err + refused.err
    assert BOT not in refused.err


def test_a_dry_run_prints_no_workflow_command_for_the_runner(
    forge: Forge, file: Path, event: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork(forge)
    for name, value in job(forge, event).items():
        monkeypatch.setenv(name, value)
    written = report() | {"notes": [{"kind": "other", "text": "x\n::stop-commands::y"}]}
    file.write_text(json.dumps(written))
    said = flowflare("comment", "--report", str(file), "--dry-run")
    assert "would be created" in said.err
    assert all(line.startswith("| ") for line in said.out.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--report", "x", "--stale"),
        ("--stale", "--github", "a/b"),
        ("--stale", "--pull", "1"),
        ("--stale", "--github", "a/b", "--pull", "1", "--gitlab", "a/b", "--merge-request", "1"),
        ("--stale", "--github", "a/b", "--pull", "0"),
    ],
    ids=range(6),
)
def test_options_that_do_not_fit_together_are_a_usage_error(words: tuple[str, ...]) -> None:
    assert flowflare("comment", *words).code == 2
