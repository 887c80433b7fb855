"""Post a report to its pull request: read it, render it, and update the comment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from flowflare.api.retries import Pace, Retries
from flowflare.errors import CommentError
from flowflare.reading.files import UnusableFileError, read_bytes
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.review.comment import github, gitlab, sticky
from flowflare.review.comment.marker import LIMIT, RESERVE, ShownPlan, defuse_commands, is_name
from flowflare.review.comment.received import read_report
from flowflare.review.comment.session import ServiceSession
from flowflare.review.comment.target import CommentTarget
from flowflare.review.comment.words import write_footer, write_stale_notice
from flowflare.review.report import Report

_MOST_EVENT_BYTES: Final = 32 * 1024 * 1024
#: How long one call is retried; a job should not wait an hour until a rate limit ends.
PACE: Final = Pace(timeout=30.0, retries=Retries(attempts=6, patience=180.0, first=1.0, most=30.0))


@dataclass(frozen=True)
class CommentRequest:
    """A request to update the comment.

    Attributes:
        report: the report's file; None to only mark an existing comment if it is stale.
        only_changes: whether to skip the comment if the report has no changes.
        dry_run: whether to write nothing.
    """

    report: Path | None
    name: str = "plan"
    only_changes: bool = False
    dry_run: bool = False


def post(
    request: CommentRequest,
    target: CommentTarget,
    environment: Mapping[str, str],
    *,
    pace: Pace = PACE,
    settle: float = sticky.SETTLE,
) -> tuple[CommentTarget, sticky.CommentOutcome]:
    """Update the pull request's comment.

    Args:
        request: what to post.
        target: the pull request, from options or environment.
        environment: contains the token.
        pace: clock and retries.
        settle: seconds to wait before checking what was written.

    Returns:
        The target, completed by lookups, and the outcome.

    Raises:
        CommentError: the report is invalid, or the service refuses.
    """
    if not is_name(request.name):
        raise CommentError(
            f"{request.name!r} is not a valid comment name",
            remedy="Use up to 40 characters: a-z, 0-9 and -.",
        )
    report = read_report(request.report) if request.report else None
    session = _open_session(target, environment, pace)
    try:
        pull_request, target = _find_pull_request(session, target)
        if report is not None and target.head is None:
            target = replace(target, head=pull_request.read_head())
        wanted = _make_wanted(request, target, report)
        if request.dry_run:
            return target, sticky.predict(
                sticky.decide_next(pull_request, wanted, pull_request.read_author()), wanted
            )
        return target, sticky.update_comment(pull_request, wanted, pace, settle=settle)
    finally:
        session.close()


def read_event(path: str | None) -> Mapping[str, Any]:
    """Read the event of a GitHub Actions job; empty without a path.

    Args:
        path: the value of GITHUB_EVENT_PATH.

    Raises:
        CommentError: the file cannot be read.
    """
    if not path:
        return {}
    try:
        event = parse_json(read_bytes(Path(path), most=_MOST_EVENT_BYTES))
    except UnusableFileError as error:
        raise CommentError(f"GITHUB_EVENT_PATH: {error}") from None
    except JsonError as error:
        raise CommentError(f"GITHUB_EVENT_PATH: {path} cannot be read: {error}") from None
    return event if isinstance(event, dict) else {}


def render(report: Report, target: CommentTarget) -> str:
    """Render a report as the comment's Markdown, within the service's limit."""
    below = write_footer(target)
    markdown = import_module("flowflare.review.markdown").render
    room = LIMIT - RESERVE - len(below)
    text = f"{markdown(report, max_size=room)}".rstrip()
    if len(defuse_commands(text)) > room:
        # Defusing adds a character to each line that looks like a command: at most half of it.
        text = f"{markdown(report, max_size=room // 2)}".rstrip()
    return text + below


def _open_session(
    target: CommentTarget, environment: Mapping[str, str], pace: Pace
) -> ServiceSession:
    service = github.SERVICE if target.kind == "github" else gitlab.SERVICE
    token = environment.get(service.variable, "").strip()
    if not token or not (token.isascii() and token.isprintable()):
        raise CommentError(
            f"{service.variable} does not contain a {service.name} token",
            remedy=f"Set it in the job's environment. It needs {service.permission}.",
        )
    return ServiceSession(service, target.api, token, pace)


def _find_pull_request(
    session: ServiceSession, target: CommentTarget
) -> tuple[sticky.PullRequest, CommentTarget]:
    number = target.number
    if number is None:
        if target.branch is None:
            raise CommentError("No option and no event says which pull request to comment on")
        number = github.find_pull(session, target.project, target.branch)
        target = replace(target, number=number)
    if target.kind == "github":
        return github.GitHub(session, target.project, number), target
    return gitlab.GitLab(session, target.project, number), target


def _make_wanted(
    request: CommentRequest, target: CommentTarget, report: Report | None
) -> sticky.WantedComment:
    notice = partial(write_stale_notice, target)
    if report is None:
        return sticky.WantedComment(request.name, None, notice)
    head = target.head or ""
    if report.head.sha != head:
        raise CommentError(
            f"The report is for {report.head.sha[:40]!r}, but the run is for {head}",
            remedy="Compare the pull request's own head, not a merge commit: "
            "flowflare diff BASE HEAD_SHA; or name the commit: --head SHA",
        )
    shown = ShownPlan(request.name, head, target.run, render(report, target))
    worth = bool(report.sections or report.policy) or not request.only_changes
    return sticky.WantedComment(request.name, shown, notice, may_create=worth)
