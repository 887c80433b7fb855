"""Brings a report to its pull request: reads it, renders it, and keeps the comment."""

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
from flowflare.review.comment.marker import LIMIT, RESERVE, Shown, is_name, without_commands
from flowflare.review.comment.received import read_report
from flowflare.review.comment.session import Session
from flowflare.review.comment.target import Target
from flowflare.review.comment.words import footer, stale_notice
from flowflare.review.report import Report

_MOST_EVENT: Final = 32 * 1024 * 1024
#: How long one call is tried: a job should not stand for an hour until a limit ends.
PACE: Final = Pace(timeout=30.0, retries=Retries(attempts=6, patience=180.0, first=1.0, most=30.0))


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        report: the report's file; None to mark the comment that is there, if it is stale.
        name: the comment's name.
        only_changes: whether a report of no change makes no comment.
        dry_run: whether nothing is written.
    """

    report: Path | None
    name: str = "plan"
    only_changes: bool = False
    dry_run: bool = False


def post(
    request: Request,
    target: Target,
    environment: Mapping[str, str],
    *,
    pace: Pace = PACE,
    settle: float = sticky.SETTLE,
) -> tuple[Target, sticky.Outcome]:
    """Brings the pull request's comment up to date.

    Args:
        request: what is asked for.
        target: which pull request, from options or environment.
        environment: where the token stands.
        pace: clock and retries.
        settle: seconds after which it looks at what it wrote.

    Returns:
        The target with all that was looked up, and what came of it.

    Raises:
        CommentError: the report is none, or the service refuses.
    """
    if not is_name(request.name):
        raise CommentError(
            f"{request.name!r} is no name of a comment", remedy="Use a-z, 0-9 and -, up to 40."
        )
    report = read_report(request.report) if request.report else None
    session = _session(target, environment, pace)
    try:
        place, target = _place(session, target)
        if report is not None and target.head is None:
            target = replace(target, head=place.head())
        wanted = _wanted(request, target, report)
        if request.dry_run:
            return target, sticky.planned(sticky.look(place, wanted, place.author()), wanted)
        return target, sticky.put(place, wanted, pace, settle=settle)
    finally:
        session.close()


def read_event(path: str | None) -> Mapping[str, Any]:
    """The event that a job of GitHub Actions runs for; empty where there is none.

    Args:
        path: what GITHUB_EVENT_PATH says.

    Raises:
        CommentError: the file holds no event.
    """
    if not path:
        return {}
    try:
        event = parse_json(read_bytes(Path(path), most=_MOST_EVENT))
    except UnusableFileError as error:
        raise CommentError(f"GITHUB_EVENT_PATH: {error}") from None
    except JsonError as error:
        raise CommentError(f"GITHUB_EVENT_PATH: {path} cannot be read: {error}") from None
    return event if isinstance(event, dict) else {}


def render(report: Report, target: Target) -> str:
    """The comment's Markdown for a report, within the service's limit."""
    below = footer(target)
    markdown = import_module("flowflare.review.markdown").render
    room = LIMIT - RESERVE - len(below)
    text = f"{markdown(report, max_size=room)}".rstrip()
    if len(without_commands(text)) > room:
        # Lines that could be commands grow; by half at most, if all of them are a single slash.
        text = f"{markdown(report, max_size=room // 2)}".rstrip()
    return text + below


def _session(target: Target, environment: Mapping[str, str], pace: Pace) -> Session:
    service = github.SERVICE if target.kind == "github" else gitlab.SERVICE
    token = environment.get(service.variable, "").strip()
    if not token or not (token.isascii() and token.isprintable()):
        raise CommentError(
            f"{service.variable} holds no token of {service.name}",
            remedy=f"Set it in the job's environment; it needs {service.permission}.",
        )
    return Session(service, target.api, token, pace)


def _place(session: Session, target: Target) -> tuple[sticky.Place, Target]:
    number = target.number
    if number is None:
        if target.branch is None:
            raise CommentError("Nothing says which pull request this is for")
        number = github.find_pull(session, target.project, target.branch)
        target = replace(target, number=number)
    if target.kind == "github":
        return github.GitHub(session, target.project, number), target
    return gitlab.GitLab(session, target.project, number), target


def _wanted(request: Request, target: Target, report: Report | None) -> sticky.Wanted:
    notice = partial(stale_notice, target)
    if report is None:
        return sticky.Wanted(request.name, None, notice)
    head = target.head or ""
    if report.head.sha != head:
        raise CommentError(
            f"The report is for {report.head.sha[:40]!r}, the run for {head}",
            remedy="Compare the pull request's own head, not a merge of it: "
            "flowflare diff BASE HEAD_SHA; or name the commit: --head SHA",
        )
    shown = Shown(request.name, head, target.run, render(report, target))
    worth = bool(report.sections or report.policy) or not request.only_changes
    return sticky.Wanted(request.name, shown, notice, may_create=worth)
