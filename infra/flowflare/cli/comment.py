"""`flowflare comment`: keep one comment with the plan on a pull request."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from flowflare.cli.console import open_stderr, print_json, print_message, print_result
from flowflare.cli.options import JsonOption
from flowflare.review.comment import target
from flowflare.review.comment.post import CommentRequest, post, read_event
from flowflare.review.comment.sticky import CommentOutcome
from flowflare.review.comment.target import CommentTarget


def comment(  # noqa: PLR0913, PLR0917 -- a command's parameters are its options
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="The JSON that `diff --output` wrote."),
    ] = None,
    stale: Annotated[
        bool,
        typer.Option("--stale", help="Without a report: mark a plan of another commit as stale."),
    ] = False,
    github: Annotated[
        str | None,
        typer.Option("--github", metavar="OWNER/REPO", help="The repository on GitHub."),
    ] = None,
    pull: Annotated[
        int | None, typer.Option("--pull", metavar="N", min=1, help="The pull request's number.")
    ] = None,
    gitlab: Annotated[
        str | None,
        typer.Option("--gitlab", metavar="GROUP/PROJECT", help="The project on GitLab."),
    ] = None,
    merge_request: Annotated[
        int | None,
        typer.Option("--merge-request", metavar="N", min=1, help="The merge request's number."),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="SHA", help="The commit that the report must be for."),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The comment's name; each project of a repository needs its own.",
        ),
    ] = "plan",
    only_changes: Annotated[
        bool,
        typer.Option("--only-changes", help="Do not create a comment while nothing changes."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would change, and write nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Keep one comment with the plan on a pull request of GitHub or a merge request of GitLab.

    GitHub Actions and GitLab CI name the request in their environment. The token comes from
    GITHUB_TOKEN or GITLAB_TOKEN. The report is only data: it cannot choose the pull request or
    anything else that this command acts on. `flowflare docs pull-requests` has the workflows.

    Examples:

      flowflare comment --report report.json

      flowflare comment --report report.json --github acme/shop --pull 12 --dry-run

      flowflare comment --stale
    """
    if (report is None) != stale:
        raise typer.BadParameter("give either --report FILE or --stale")
    if (github is None) != (pull is None) or (gitlab is None) != (merge_request is None):
        raise typer.BadParameter("--github needs --pull, and --gitlab needs --merge-request")
    if github is not None and gitlab is not None:
        raise typer.BadParameter("give either --github or --gitlab")

    if github is not None and pull is not None:
        where = target.make_target("github", github, pull, os.environ)
    elif gitlab is not None and merge_request is not None:
        where = target.make_target("gitlab", gitlab, merge_request, os.environ)
    else:
        where = target.detect_target(os.environ, read_event(os.environ.get("GITHUB_EVENT_PATH")))
    where = target.replace_head(where, head)
    request = CommentRequest(report, name=name, only_changes=only_changes, dry_run=dry_run)
    with open_stderr().status("Updating the comment"):
        where, outcome = post(request, where, os.environ)
    _report(where, outcome, dry_run, json)


def _report(target: CommentTarget, outcome: CommentOutcome, dry_run: bool, json: bool) -> None:
    if json:
        print_json(_document(target, outcome, dry_run))
        return
    would = "would be " if dry_run and outcome.action in ("created", "updated") else ""
    text = {
        "created": f"The comment on {target} {would or 'is '}created",
        "updated": f"The comment on {target} {would or 'is '}updated",
        "unchanged": f"The comment on {target} is up to date",
        "left": f"The comment on {target} shows a newer plan than this run's, and was not changed",
        "none": f"{target} has no comment and does not need one",
    }[outcome.action]
    address = f": {outcome.comment.url}" if outcome.comment and outcome.comment.url else ""
    print_message(f"{text}{address}")
    if outcome.removed:
        more = f"{'Would delete' if dry_run else 'Deleted'} {len(outcome.removed)} duplicates."
        print_message(more)
    if dry_run and outcome.shown:
        # GitHub's runner would execute a line that begins with `::` as a command.
        for line in outcome.shown.content.splitlines():
            print_result(f"| {line}")


def _document(target: CommentTarget, outcome: CommentOutcome, dry_run: bool) -> dict[str, Any]:
    comment, shown = outcome.comment, outcome.shown
    return {
        "service": target.kind,
        "project": target.project,
        "number": target.number,
        "dry_run": dry_run,
        "action": outcome.action,
        "comment": {"id": comment.id, "url": comment.url} if comment else None,
        "head": shown.head if shown else None,
        "stale": bool(shown and shown.notice),
        "removed": list(outcome.removed),
    }
