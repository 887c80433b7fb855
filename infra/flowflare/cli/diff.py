"""`flowflare diff`: says what the change from one commit to another will do to every stack."""

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flowflare.cli.allow_unknown import read_allowed, refuse_allowed
from flowflare.cli.options import ProjectOption, project_root

if TYPE_CHECKING:
    from flowflare.review.report import Report


class Form(StrEnum):
    """The forms that a report comes in."""

    text = "text"
    markdown = "markdown"
    html = "html"
    json = "json"


_ENDINGS: Final = {
    ".json": Form.json,
    ".html": Form.html,
    ".md": Form.markdown,
    ".txt": Form.text,
}


def diff(  # noqa: PLR0913, PLR0917 -- a command's parameters are its options
    base: Annotated[
        str, typer.Argument(metavar="BASE", help="The commit to start from: a branch, a tag.")
    ],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="The commit to come to.")] = "HEAD",
    stack: Annotated[
        list[str] | None,
        typer.Option(
            "--stack", "-s", metavar="NAME", help="Only this stack; may be given several times."
        ),
    ] = None,
    cwd: ProjectOption = None,
    merge_base: Annotated[
        bool,
        typer.Option(
            help="Start from where HEAD has parted from BASE, as pull requests do; else from BASE."
        ),
    ] = True,
    form: Annotated[
        Form | None,
        typer.Option("--format", help="What to write; text, or what a file's ending says."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write into a file instead: .json, .html, .md, .txt. May be given several times.",
        ),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="End with 0: nothing changes, 2: it does, 3: loses data, 1: something is unknown.",
        ),
    ] = False,
    allow_unknown: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-unknown",
            metavar="STACK=REASON",
            help="Let the check pass although this stack could not be compared; the report says "
            "why. May be given several times.",
        ),
    ] = None,
    max_size: Annotated[
        int,
        typer.Option(
            "--max-size", metavar="BYTES", help="Fold Markdown until it is no longer than this."
        ),
    ] = 60_000,
) -> None:
    """Say what the change from one commit to another will do to every stack, and at what risk.

    Both commits are recorded in folders of their own: nothing is called, no secret opened.
    `flowflare schema report` prints the JSON's schema.

    Examples:

      flowflare diff main

      flowflare diff v1.2 v1.3 --no-merge-base --stack prod

      flowflare diff origin/main --format json --exit-code | jq .risk

      flowflare diff origin/main --output plan/report.json --output plan/report.html

      flowflare diff main --exit-code --allow-unknown "dev=its file is repaired here"
    """
    allowed = read_allowed(allow_unknown or (), "STACK")
    files = {path: form or _form_of(path) for path in output or ()}
    from flowflare.cli.console import messages
    from flowflare.review.commits import CommitQuery, compare_commits

    question = CommitQuery(base, head, tuple(stack or ()), merge_base, allowed)
    with messages().status("Comparing") as status:
        report = compare_commits(project_root(cwd), question, status.update)
    _refuse_needless(allowed, report)
    if not files:
        _show(report, form or Form.text, max_size)
    for path, of_file in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(report, of_file, max_size), encoding="utf-8")
    if exit_code and report.exit_code:
        raise typer.Exit(report.exit_code)


def _refuse_needless(allowed: Mapping[str, str], report: "Report") -> None:
    """Refuse names that accept nothing: an old one would hide what becomes unknown later."""
    from flowflare.review.report import list_unknown_stacks

    unknown = list_unknown_stacks(report.sections)
    stacks = {stack for one in report.sections for stack in one.stacks} | set(report.unchanged)
    refuse_allowed(
        [
            f"{name} is compared, not unknown: remove it"
            if name in stacks
            else f"{name} is not a stack of either commit"
            for name in allowed
            if name not in unknown
        ]
    )


def _form_of(path: Path) -> Form:
    form = _ENDINGS.get(path.suffix.lower())
    if form is None:
        raise typer.BadParameter(f"{path} ends in none of {', '.join(_ENDINGS)}: give --format")
    return form


def _show(report: "Report", form: Form, max_size: int) -> None:
    if form is Form.text:
        from flowflare.cli.report_text import print_report

        print_report(report)
    else:
        typer.echo(_text(report, form, max_size), nl=False)


def _text(report: "Report", form: Form, max_size: int) -> str:
    if form is Form.json:
        return f"{report.model_dump_json(indent=2)}\n"
    if form is Form.markdown:
        render = import_module("flowflare.review.markdown").render
        return str(render(report, max_size=max_size))
    if form is Form.html:
        return str(import_module("flowflare.review.html").render(report))
    from flowflare.review.report_text import write_lines
    from flowflare.review.text import join_lines

    return join_lines(write_lines(report))
