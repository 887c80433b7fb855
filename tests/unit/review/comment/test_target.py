"""The pull request and the commit come from the service, never from the report."""

from typing import Any

import pytest

from flowflare.errors import CommentError
from flowflare.review.comment.github import find_pull
from flowflare.review.comment.target import (
    Branch,
    check_sha,
    detect_target,
    make_target,
    replace_head,
)
from tests.unit.review.comment.conftest import Runs
from tests.unit.review.comment.forge import REPOSITORY, A, B, Forge

JOB = {
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_RUN_ID": "41",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_API_URL": "https://github.acme.example/api/v3",
    "GITHUB_SERVER_URL": "https://github.acme.example",
}
PIPELINE = {
    "CI_PROJECT_ID": "55",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_COMMIT_SHA": A,
    "CI_PIPELINE_ID": "900",
    "CI_JOB_ID": "12",
}
RUN = {
    "id": 40,
    "run_attempt": 3,
    "event": "pull_request",
    "status": "completed",
    "conclusion": "success",
    "head_sha": A,
    "head_branch": "feature/../x y&state=all",
    "head_repository": {"full_name": "mallory/shop"},
}


def test_a_job_of_a_pull_request_knows_its_number() -> None:
    event = {"pull_request": {"number": 7, "head": {"sha": A}}}
    target = detect_target(JOB, event)
    assert (str(target), target.head, target.run) == ("acme/shop#7", A, (41, 2))
    assert target.page == "https://github.acme.example/acme/shop/actions/runs/41"


def test_a_workflow_run_takes_commit_and_run_from_the_event() -> None:
    target = detect_target(JOB, {"workflow_run": RUN})
    assert (target.number, target.head, target.run) == (None, A, (40, 3))
    assert target.branch == Branch("mallory/shop", RUN["head_branch"], A)


@pytest.mark.parametrize(
    ("status", "conclusion", "failed"),
    [
        ("completed", "failure", True),
        ("completed", "timed_out", True),
        ("completed", "cancelled", False),
        ("completed", "action_required", False),
        ("queued", None, False),
    ],
)
def test_a_run_that_ended_without_a_plan_is_recognised(
    status: str, conclusion: str | None, failed: bool
) -> None:
    run = RUN | {"status": status, "conclusion": conclusion}
    assert detect_target(JOB, {"workflow_run": run}).failed is failed


def test_a_merge_request_pipeline_knows_its_number() -> None:
    target = detect_target(PIPELINE, {})
    assert (str(target), target.head, target.run) == ("55!7", A, (900, 12))


def test_a_pipeline_for_merged_results_uses_the_source_branch() -> None:
    target = detect_target(PIPELINE | {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": B}, {})
    assert target.head == B


@pytest.mark.parametrize(
    ("environment", "event", "said"),
    [
        ({}, {}, "--github OWNER/REPO --pull N"),
        (JOB, {}, "is not about a pull request"),
        (JOB, {"workflow_run": RUN | {"event": "push"}}, "started by push"),
        (JOB, {"workflow_run": RUN | {"head_sha": "main"}}, "'main' is not a full hash"),
        (JOB, {"workflow_run": RUN | {"head_repository": None}}, "not a GitHub event"),
        (JOB, {"pull_request": {"number": "7/../8"}}, "not a GitHub event"),
        (JOB | {"GITHUB_RUN_ID": "1.5"}, {}, "GITHUB_RUN_ID is '1.5'"),
        (JOB | {"GITHUB_REPOSITORY": "acme/.."}, {}, "not a repository"),
        (PIPELINE | {"CI_PROJECT_ID": "../user"}, {}, "not a project"),
    ],
)
def test_any_other_environment_is_reported(
    environment: dict[str, str], event: Any, said: str
) -> None:
    with pytest.raises(CommentError) as caught:
        detect_target(environment, event)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["acme", "acme/shop/x", "acme/..", "acme/.", "acme/a b", "acme/shop?x=1", "/shop", "a/b#"],
)
def test_a_repository_name_with_a_path_is_refused(name: str) -> None:
    with pytest.raises(CommentError, match="is not a repository"):
        make_target("github", name, 1, {})


@pytest.mark.parametrize("name", ["acme", "a/../b", "a//b", "a/b?c", "a/b c", "a/b%2f"])
def test_a_project_name_with_a_path_is_refused(name: str) -> None:
    with pytest.raises(CommentError, match="is not a project"):
        make_target("gitlab", name, 1, {})


def test_a_project_may_be_in_nested_groups() -> None:
    assert make_target("gitlab", "acme/web/shop.js", 1, {}).project == "acme/web/shop.js"


@pytest.mark.parametrize("text", ["main", "a" * 39, "A" * 40, f"{A}\n", f"{A} --"])
def test_a_commit_is_given_as_a_full_hash(text: str) -> None:
    with pytest.raises(CommentError, match="is not a full hash"):
        check_sha(text)


def test_the_commit_from_the_options_takes_precedence() -> None:
    assert replace_head(detect_target(PIPELINE, {}), B).head == B


def pull(number: int, repository: str = "mallory/shop", head: str = A) -> dict[str, Any]:
    return {
        "number": number,
        "head": {"sha": head, "ref": RUN["head_branch"], "repo": {"full_name": repository}},
    }


def find_number(runs: Runs) -> int:
    session, _ = runs.place()
    try:
        return find_pull(session, REPOSITORY, Branch("mallory/shop", RUN["head_branch"], A))
    finally:
        session.close()


def test_a_pull_request_from_a_fork_is_found_by_its_branch(runs: Runs, forge: Forge) -> None:
    forge.pulls = [pull(6, "mallory/other"), pull(7)]
    assert find_number(runs) == 7
    assert forge.asked[0][1].startswith("/repos/acme/shop/pulls?")


def test_a_pull_request_is_found_after_its_head_moved(runs: Runs, forge: Forge) -> None:
    forge.pulls = [pull(7, head=B)]
    assert find_number(runs) == 7


def test_of_two_pull_requests_the_one_with_the_commit_is_used(runs: Runs, forge: Forge) -> None:
    forge.pulls = [pull(6, head=B), pull(7)]
    assert find_number(runs) == 7


def test_no_and_several_pull_requests_are_reported(runs: Runs, forge: Forge) -> None:
    with pytest.raises(CommentError, match="no open pull request from the branch feature"):
        find_number(runs)
    forge.pulls = [pull(7), pull(8)]
    with pytest.raises(CommentError, match=r"several .*: \[7, 8\]"):
        find_number(runs)
