"""Which pull request, and which commit: from the service, and never from the report."""

from typing import Any

import pytest

from flowflare.errors import CommentError
from flowflare.review.comment.github import find_pull
from flowflare.review.comment.target import Branch, detected, given, sha, with_head
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


def test_a_pull_requests_own_job_knows_it() -> None:
    event = {"pull_request": {"number": 7, "head": {"sha": A}}}
    target = detected(JOB, event)
    assert (str(target), target.head, target.run) == ("acme/shop#7", A, (41, 2))
    assert target.page == "https://github.acme.example/acme/shop/actions/runs/41"


def test_a_later_workflow_takes_commit_and_run_from_the_event() -> None:
    target = detected(JOB, {"workflow_run": RUN})
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
def test_a_run_that_ended_without_a_plan_is_known(
    status: str, conclusion: str | None, failed: bool
) -> None:
    run = RUN | {"status": status, "conclusion": conclusion}
    assert detected(JOB, {"workflow_run": run}).failed is failed


def test_a_merge_requests_pipeline_knows_it() -> None:
    target = detected(PIPELINE, {})
    assert (str(target), target.head, target.run) == ("55!7", A, (900, 12))


def test_a_pipeline_for_merged_results_is_about_the_source_branch() -> None:
    target = detected(PIPELINE | {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": B}, {})
    assert target.head == B


@pytest.mark.parametrize(
    ("environment", "event", "said"),
    [
        ({}, {}, "--github OWNER/REPO --pull N"),
        (JOB, {}, "is about no pull request"),
        (JOB, {"workflow_run": RUN | {"event": "push"}}, "started by push"),
        (JOB, {"workflow_run": RUN | {"head_sha": "main"}}, "'main' is no commit"),
        (JOB, {"workflow_run": RUN | {"head_repository": None}}, "no event of GitHub"),
        (JOB, {"pull_request": {"number": "7/../8"}}, "no event of GitHub"),
        (JOB | {"GITHUB_RUN_ID": "1.5"}, {}, "GITHUB_RUN_ID is '1.5'"),
        (JOB | {"GITHUB_REPOSITORY": "acme/.."}, {}, "no repository"),
        (PIPELINE | {"CI_PROJECT_ID": "../user"}, {}, "no project"),
    ],
)
def test_anything_else_is_told(environment: dict[str, str], event: Any, said: str) -> None:
    with pytest.raises(CommentError) as caught:
        detected(environment, event)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["acme", "acme/shop/x", "acme/..", "acme/.", "acme/a b", "acme/shop?x=1", "/shop", "a/b#"],
)
def test_a_name_that_would_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(CommentError, match="is no repository"):
        given("github", name, 1, {})


@pytest.mark.parametrize("name", ["acme", "a/../b", "a//b", "a/b?c", "a/b c", "a/b%2f"])
def test_a_project_that_would_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(CommentError, match="is no project"):
        given("gitlab", name, 1, {})


def test_a_projects_path_may_be_deep() -> None:
    assert given("gitlab", "acme/web/shop.js", 1, {}).project == "acme/web/shop.js"


@pytest.mark.parametrize("text", ["main", "a" * 39, "A" * 40, f"{A}\n", f"{A} --"])
def test_a_commit_is_a_full_hash(text: str) -> None:
    with pytest.raises(CommentError, match="is no commit"):
        sha(text)


def test_the_commit_that_the_options_name_counts() -> None:
    assert with_head(detected(PIPELINE, {}), B).head == B


def pull(number: int, repository: str = "mallory/shop", head: str = A) -> dict[str, Any]:
    return {
        "number": number,
        "head": {"sha": head, "ref": RUN["head_branch"], "repo": {"full_name": repository}},
    }


def found(runs: Runs) -> int:
    session, _ = runs.place()
    try:
        return find_pull(session, REPOSITORY, Branch("mallory/shop", RUN["head_branch"], A))
    finally:
        session.close()


def test_a_forks_pull_request_is_found_by_its_branch(runs: Runs, forge: Forge) -> None:
    forge.pulls = [pull(6, "mallory/other"), pull(7)]
    assert found(runs) == 7
    assert forge.asked[0][1].startswith("/repos/acme/shop/pulls?")


def test_a_head_that_moved_meanwhile_does_not_hide_it(runs: Runs, forge: Forge) -> None:
    forge.pulls = [pull(7, head=B)]
    assert found(runs) == 7


def test_of_two_the_one_with_the_commit_is_meant(runs: Runs, forge: Forge) -> None:
    forge.pulls = [pull(6, head=B), pull(7)]
    assert found(runs) == 7


def test_none_and_several_are_told(runs: Runs, forge: Forge) -> None:
    with pytest.raises(CommentError, match="no open pull request from the branch feature"):
        found(runs)
    forge.pulls = [pull(7), pull(8)]
    with pytest.raises(CommentError, match=r"several .*: \[7, 8\]"):
        found(runs)
