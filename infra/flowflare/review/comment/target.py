"""Find the pull request and the commit from options, environment and event.

Everything here comes from the service or from the caller; nothing comes from the report.
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
_NOT_FAILED: Final = ("success", "cancelled", "skipped", "neutral", "action_required", "stale")

ServiceName = Literal["github", "gitlab"]


@dataclass(frozen=True)
class Branch:
    """The origin of a pull request: repository, branch, and the commit that a run was for."""

    repository: str
    name: str
    sha: str


@dataclass(frozen=True)
class CommentTarget:
    """The pull request to comment on, and the commit.

    Attributes:
        project: `OWNER/REPO`, or GitLab's project.
        number: the pull request; None if it must be found by `branch`.
        head: the commit that the run was for; None if unknown.
        run: the number of the run that made the plan, and of its attempt; (0, 0) if unknown.
        branch: the pull request's origin, for events that do not name the pull request.
        page: the address of the run's page; empty if unknown.
        failed: whether that run ended without a plan.
    """

    kind: ServiceName
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


def make_target(
    kind: ServiceName, project: str, number: int, environment: Mapping[str, str]
) -> CommentTarget:
    """Make a target from the options.

    Raises:
        CommentError: the project's name is invalid.
    """
    if kind == "github":
        api = environment.get("GITHUB_API_URL") or _GITHUB
        return CommentTarget("github", api, check_repository(project), number)
    return CommentTarget(
        "gitlab", environment.get("CI_API_V4_URL") or _GITLAB, _check_project(project), number
    )


def detect_target(environment: Mapping[str, str], event: Mapping[str, Any]) -> CommentTarget:
    """Detect the target of the CI job that runs this command.

    Args:
        environment: the environment variables of GitHub Actions or GitLab CI.
        event: the content of GITHUB_EVENT_PATH; empty elsewhere.

    Raises:
        CommentError: the job is not for a pull request.
    """
    if environment.get("GITHUB_REPOSITORY"):
        return _detect_github(environment, event)
    if environment.get("CI_MERGE_REQUEST_IID"):
        return _detect_gitlab(environment)
    raise CommentError(
        "Neither GitHub Actions nor GitLab CI says which pull request this is for",
        remedy="Name it: --github OWNER/REPO --pull N, or --gitlab GROUP/PROJECT --merge-request N",
    )


def replace_head(target: CommentTarget, head: str | None) -> CommentTarget:
    """Replace the target's commit, if the options name one.

    Raises:
        CommentError: it is not a full hash.
    """
    return target if head is None else replace(target, head=check_sha(head))


def check_repository(text: str) -> str:
    """Validate a repository's name on GitHub, which becomes part of addresses."""
    if _REPOSITORY.fullmatch(text) is None or text.partition("/")[2] in (".", ".."):
        raise CommentError(f"{text!r} is not a repository", remedy="Write OWNER/REPO.")
    return text


def check_sha(text: str) -> str:
    """Validate a commit's full hash."""
    if _SHA.fullmatch(text) is None:
        raise CommentError(f"{text!r} is not a full hash", remedy="Print it: git rev-parse COMMIT")
    return text


def _check_project(text: str) -> str:
    if _PROJECT.fullmatch(text) is None or {".", ".."} & set(text.split("/")):
        raise CommentError(
            f"{text!r} is not a project", remedy="Write GROUP/PROJECT or its number."
        )
    return text


def _detect_github(environment: Mapping[str, str], event: Mapping[str, Any]) -> CommentTarget:
    target = CommentTarget(
        kind="github",
        api=environment.get("GITHUB_API_URL") or _GITHUB,
        project=check_repository(environment["GITHUB_REPOSITORY"]),
        number=None,
        run=(
            _read_number(environment, "GITHUB_RUN_ID"),
            _read_number(environment, "GITHUB_RUN_ATTEMPT"),
        ),
    )
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    try:
        if event.get("workflow_run"):
            target = _read_run(target, event["workflow_run"])
        elif event.get("pull_request"):
            pull = event["pull_request"]
            target = replace(
                target, number=int(pull["number"]), head=check_sha(pull["head"]["sha"])
            )
        else:
            raise CommentError(
                f"The event {environment.get('GITHUB_EVENT_NAME') or '(none)'} is not about a pull "
                "request",
                remedy="Name it: --github OWNER/REPO --pull N --head SHA",
            )
    except (KeyError, TypeError, ValueError) as error:
        raise CommentError(f"GITHUB_EVENT_PATH is not a GitHub event: {error!r}") from None
    page = f"{server}/{target.project}/actions/runs/{target.run[0]}" if target.run[0] else ""
    return replace(target, page=page)


def _read_run(target: CommentTarget, run: Mapping[str, Any]) -> CommentTarget:
    if run["event"] != "pull_request":
        raise CommentError(f"The run was started by {run['event']}, not by a pull request")
    head = check_sha(run["head_sha"])
    return replace(
        target,
        head=head,
        run=(int(run["id"]), int(run["run_attempt"])),
        branch=Branch(
            check_repository(run["head_repository"]["full_name"]), run["head_branch"], head
        ),
        failed=run["status"] == "completed" and run["conclusion"] not in _NOT_FAILED,
    )


def _detect_gitlab(environment: Mapping[str, str]) -> CommentTarget:
    # In a pipeline for merged results, CI_COMMIT_SHA is a temporary merge commit.
    head = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environment.get("CI_COMMIT_SHA")
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
    return CommentTarget(
        kind="gitlab",
        api=environment.get("CI_API_V4_URL") or _GITLAB,
        project=_check_project(project),
        number=_read_number(environment, "CI_MERGE_REQUEST_IID"),
        head=check_sha(head) if head else None,
        run=(_read_number(environment, "CI_PIPELINE_ID"), _read_number(environment, "CI_JOB_ID")),
        page=environment.get("CI_PIPELINE_URL", ""),
    )


def _read_number(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise CommentError(f"{name} is {text!r}, which is not a number")
    return int(text)
