"""Finds out from options, environment and event which pull request is meant, and for which commit.

Everything here comes from the service itself or from who calls the command; nothing comes from the
report.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from flowflare.errors import CommentError

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_PROJECT: Final = re.compile(r"\d{1,18}|[\w.-]{1,255}(?:/[\w.-]{1,255}){1,20}", re.ASCII)
_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_GITHUB: Final = "https://api.github.com"
_GITLAB: Final = "https://gitlab.com/api/v4"
_WAITING: Final = ("success", "cancelled", "skipped", "neutral", "action_required", "stale")

Kind = Literal["github", "gitlab"]


@dataclass(frozen=True)
class Branch:
    """Where a pull request comes from: repository, branch, and the commit that a run was for."""

    repository: str
    name: str
    sha: str


@dataclass(frozen=True)
class Target:
    """Where to write, and about what.

    Attributes:
        kind: which service.
        api: its API's address.
        project: `OWNER/REPO`, or GitLab's project.
        number: the pull request; None where it has to be looked up by `branch`.
        head: the commit that the run was for; None where nobody says.
        run: number of the run that made the plan and of its attempt; (0, 0) where nobody says.
        branch: where the pull request comes from, for events that do not name it.
        page: the address of the run, for the reader; empty if unknown.
        failed: whether that run has ended without a plan.
    """

    kind: Kind
    api: str
    project: str
    number: int | None
    head: str | None = None
    run: tuple[int, int] = (0, 0)
    branch: Branch | None = None
    page: str = ""
    failed: bool = False

    def __str__(self) -> str:
        sign = "#" if self.kind == "github" else "!"
        return f"{self.project}{sign}{self.number}"


def given(kind: Kind, project: str, number: int, environment: Mapping[str, str]) -> Target:
    """The target that the options name.

    Raises:
        CommentError: the name is none of a repository.
    """
    if kind == "github":
        api = environment.get("GITHUB_API_URL") or _GITHUB
        return Target("github", api, repository(project), number)
    return Target("gitlab", environment.get("CI_API_V4_URL") or _GITLAB, _project(project), number)


def detected(environment: Mapping[str, str], event: Mapping[str, Any]) -> Target:
    """The target of the job that this runs in.

    Args:
        environment: the environment variables of GitHub Actions or GitLab CI.
        event: what GITHUB_EVENT_PATH holds; empty elsewhere.

    Raises:
        CommentError: this is no job of a pull request.
    """
    if environment.get("GITHUB_REPOSITORY"):
        return _of_github(environment, event)
    if environment.get("CI_MERGE_REQUEST_IID"):
        return _of_gitlab(environment)
    raise CommentError(
        "Neither GitHub Actions nor GitLab CI says which pull request this is for",
        remedy="Name it: --github OWNER/REPO --pull N, or --gitlab GROUP/PROJECT --merge-request N",
    )


def with_head(target: Target, head: str | None) -> Target:
    """The target for another commit, where the options name one.

    Raises:
        CommentError: that is no full hash.
    """
    return target if head is None else replace(target, head=sha(head))


def repository(text: str) -> str:
    """A repository's name on GitHub, checked: it becomes a part of addresses."""
    if _REPOSITORY.fullmatch(text) is None or text.partition("/")[2] in (".", ".."):
        raise CommentError(f"{text!r} is no repository", remedy="Write OWNER/REPO.")
    return text


def sha(text: str) -> str:
    """A commit's full hash, checked."""
    if _SHA.fullmatch(text) is None:
        raise CommentError(f"{text!r} is no commit", remedy="Write its full hash: git rev-parse")
    return text


def _project(text: str) -> str:
    if _PROJECT.fullmatch(text) is None or {".", ".."} & set(text.split("/")):
        raise CommentError(f"{text!r} is no project", remedy="Write GROUP/PROJECT or its number.")
    return text


def _of_github(environment: Mapping[str, str], event: Mapping[str, Any]) -> Target:
    target = Target(
        kind="github",
        api=environment.get("GITHUB_API_URL") or _GITHUB,
        project=repository(environment["GITHUB_REPOSITORY"]),
        number=None,
        run=(_number(environment, "GITHUB_RUN_ID"), _number(environment, "GITHUB_RUN_ATTEMPT")),
    )
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    try:
        if event.get("workflow_run"):
            target = _of_run(target, event["workflow_run"])
        elif event.get("pull_request"):
            pull = event["pull_request"]
            target = replace(target, number=int(pull["number"]), head=sha(pull["head"]["sha"]))
        else:
            raise CommentError(
                f"The event {environment.get('GITHUB_EVENT_NAME') or '(none)'} is about no pull "
                "request",
                remedy="Name it: --github OWNER/REPO --pull N --head SHA",
            )
    except (KeyError, TypeError, ValueError) as error:
        raise CommentError(f"GITHUB_EVENT_PATH holds no event of GitHub: {error!r}") from None
    page = f"{server}/{target.project}/actions/runs/{target.run[0]}" if target.run[0] else ""
    return replace(target, page=page)


def _of_run(target: Target, run: Mapping[str, Any]) -> Target:
    if run["event"] != "pull_request":
        raise CommentError(f"The run was started by {run['event']}, not by a pull request")
    head = sha(run["head_sha"])
    return replace(
        target,
        head=head,
        run=(int(run["id"]), int(run["run_attempt"])),
        branch=Branch(repository(run["head_repository"]["full_name"]), run["head_branch"], head),
        failed=run["status"] == "completed" and run["conclusion"] not in _WAITING,
    )


def _of_gitlab(environment: Mapping[str, str]) -> Target:
    # In a pipeline for merged results CI_COMMIT_SHA is a commit that nobody has pushed.
    head = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environment.get("CI_COMMIT_SHA")
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
    return Target(
        kind="gitlab",
        api=environment.get("CI_API_V4_URL") or _GITLAB,
        project=_project(project),
        number=_number(environment, "CI_MERGE_REQUEST_IID"),
        head=sha(head) if head else None,
        run=(_number(environment, "CI_PIPELINE_ID"), _number(environment, "CI_JOB_ID")),
        page=environment.get("CI_PIPELINE_URL", ""),
    )


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise CommentError(f"{name} is {text!r}, which is no number")
    return int(text)
