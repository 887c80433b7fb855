"""`flowflare diff`: show what the change between two commits will do to every stack."""

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flowflare.cli.allow_unknown import read_allowed, refuse_allowed
from flowflare.cli.options import ProjectOption, choose_project_root

if TYPE_CHECKING:
    from flowflare.review.report import Report


class ReportFormat(StrEnum):
    """The formats of a report."""

    text = "text"
    markdown = "markdown"
    html = "html"
    json = "json"


class Against(StrEnum):
    """What a report starts from."""

    commit = "commit"
    state = "state"


_ENDINGS: Final = {
    ".json": ReportFormat.json,
    ".html": ReportFormat.html,
    ".md": ReportFormat.markdown,
    ".txt": ReportFormat.text,
}


def diff(  # noqa: PLR0913, PLR0917 -- a command's parameters are its options
    base: Annotated[
        str | None,
        typer.Argument(
            metavar="BASE",
            help="The old commit: a branch, a tag or a hash.",
        ),
    ] = None,
    head: Annotated[str, typer.Argument(metavar="HEAD", help="The new commit.")] = "HEAD",
    against: Annotated[
        Against,
        typer.Option(
            help="`commit` compares two commits; `state` compares the working tree with what is "
            "deployed, and needs the stacks' state and passphrase."
        ),
    ] = Against.commit,
    stack: Annotated[
        list[str] | None,
        typer.Option(
            "--stack", "-s", metavar="NAME", help="Only this stack; may be given several times."
        ),
    ] = None,
    cwd: ProjectOption = None,
    merge_base: Annotated[
        bool,
        typer.Option(help="Compare with the merge base of BASE and HEAD, as pull requests do."),
    ] = True,
    form: Annotated[
        ReportFormat | None,
        typer.Option("--format", help="The format; by default text, or as the file's suffix says."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to a file instead: .json, .html, .md, .txt. May be given several times.",
        ),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit with 0: no changes, 2: changes, 3: data loss, 1: something is unknown.",
        ),
    ] = False,
    allow_unknown: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-unknown",
            metavar="STACK=REASON",
            help="Let the check pass although this stack could not be compared; the report shows "
            "the reason. May be given several times.",
        ),
    ] = None,
    max_size: Annotated[
        int,
        typer.Option(
            "--max-size",
            metavar="BYTES",
            help="The most bytes of Markdown; longer parts are shortened.",
        ),
    ] = 60_000,
) -> None:
    """Show what the change between two commits will do to every stack, and at what risk.

    Checks out both commits into temporary folders. Calls no API and decrypts no secret. With
    --against state, shows what `up` of the working tree would do now, which decrypts secrets.
    `flowflare schema report` prints the JSON's schema.

    Examples:

      flowflare diff main

      flowflare diff v1.2 v1.3 --no-merge-base --stack prod

      flowflare diff origin/main --format json --exit-code | jq .risk

      flowflare diff origin/main --output plan/report.json --output plan/report.html

      flowflare diff --against state --output plan/deployed.json

      flowflare diff main --exit-code --allow-unknown "dev=its file is repaired here"
    """
    allowed = read_allowed(allow_unknown or (), "STACK")
    files = {path: form or _choose_form(path) for path in output or ()}
    from flowflare.cli.console import open_stderr, print_message
    from flowflare.render.node import ensure_node_packages
    from flowflare.review.against_state import report_against_state
    from flowflare.review.commits import CommitQuery, compare_commits

    root, stacks = choose_project_root(cwd), tuple(stack or ())
    if (base is None) is not (against is Against.state):
        raise typer.BadParameter("give either BASE, the old commit, or --against state")
    # The processes that record the commits have no network.
    ensure_node_packages(print_message, root=root)
    with open_stderr().status("Comparing") as status:
        if base is None:
            status.update("Comparing with the state")
            report = report_against_state(root, stacks, allowed)
        else:
            question = CommitQuery(base, head, stacks, merge_base, allowed)
            report = compare_commits(root, question, status.update, print_message)
    _refuse_unused(allowed, report)
    if not files:
        _show(report, form or ReportFormat.text, max_size)
    for path, of_file in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(report, of_file, max_size), encoding="utf-8")
    if exit_code and report.exit_code:
        raise typer.Exit(report.exit_code)


def _refuse_unused(allowed: Mapping[str, str], report: "Report") -> None:
    """Refuse names that match nothing: they would hide what becomes unknown later."""
    from flowflare.review.report import list_unknown_stacks

    unknown = list_unknown_stacks(report.sections)
    stacks = {stack for section in report.sections for stack in section.stacks} | set(
        report.unchanged
    )
    refuse_allowed(
        [
            f"{name} is compared, not unknown: remove it"
            if name in stacks
            else f"{name} is not a stack of either commit"
            for name in allowed
            if name not in unknown
        ]
    )


def _choose_form(path: Path) -> ReportFormat:
    form = _ENDINGS.get(path.suffix.lower())
    if form is None:
        raise typer.BadParameter(f"{path} does not end in {', '.join(_ENDINGS)}: give --format")
    return form


def _show(report: "Report", form: ReportFormat, max_size: int) -> None:
    if form is ReportFormat.text:
        from flowflare.cli.report_text import print_report

        print_report(report)
    else:
        typer.echo(_text(report, form, max_size), nl=False)


def _text(report: "Report", form: ReportFormat, max_size: int) -> str:
    if form is ReportFormat.json:
        return f"{report.model_dump_json(indent=2)}\n"
    if form is ReportFormat.markdown:
        render = import_module("flowflare.review.markdown").render
        return str(render(report, max_size=max_size))
    if form is ReportFormat.html:
        return str(import_module("flowflare.review.html").render(report))
    from flowflare.review.report_text import write_lines
    from flowflare.review.text import join_lines

    return join_lines(write_lines(report))
