"""`flowflare fleet preview`: show what `fleet up` would do to the tenants of an environment."""

import os
from collections.abc import Iterator
from enum import StrEnum
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.console import open_stderr, print_json, print_message, print_result
from flowflare.cli.fleet.options import (
    ChangedOption,
    EnvironmentOption,
    ShardOption,
    TagOption,
    TenantsOption,
    WorkersOption,
    make_selection,
)
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.cli.report_text import print_report
from flowflare.errors import FleetError
from flowflare.fleet.preview.preview import FleetPreview, make_preview
from flowflare.fleet.session import open_session
from flowflare.fleet.workers.pool import TaskEvent
from flowflare.review.markdown import render
from flowflare.review.report_text import write_duration
from flowflare.values.wording import write_count


class PreviewFormat(StrEnum):
    """The formats of a preview."""

    text = "text"
    markdown = "markdown"


def preview(  # noqa: PLR0913, PLR0917 -- a command's parameters are its options
    environment: EnvironmentOption,
    tenants: TenantsOption = None,
    tag: TagOption = None,
    changed: ChangedOption = False,
    shard: ShardOption = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Also plan tenants whose inputs have not changed since they were last applied.",
        ),
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Compare code and SQL line by line.")
    ] = False,
    form: Annotated[
        PreviewFormat, typer.Option("--format", help="The format.")
    ] = PreviewFormat.text,
    max_size: Annotated[
        int,
        typer.Option(
            "--max-size",
            metavar="BYTES",
            help="The most bytes of Markdown; longer parts are shortened.",
        ),
    ] = 60_000,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit with 0: no changes, 2: changes, 3: data loss, 1: something is unknown.",
        ),
    ] = False,
    workers: WorkersOption = None,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what `fleet up` would do, without a call to Cloudflare; equal changes are shown once.

    Skips tenants whose inputs have not changed since they were last applied. Plans the programs of
    the others against their state, applies policies, and estimates API calls and time.

    Examples:

      flowflare fleet preview -e prod

      flowflare fleet preview -e prod --tag eu --format markdown

      flowflare fleet preview -e prod --json | jq '.report.sections[].stacks'
    """
    selection = make_selection(tenants, tag, shard, changed=changed)
    with open_stderr().status("Reading the fleet") as status:
        session = open_session(choose_project_root(cwd), os.environ, environment, selection)
        found = make_preview(
            session,
            again=again,
            diff=diff,
            workers=workers,
            on_event=_print_note,
            on_progress=lambda done, of: status.update(f"Planning: {done:,} of {of:,}"),
        )
    if changed:
        found = found.model_copy(update={"same_inputs": ()})
    if json:
        print_json(found.model_dump(mode="json"))
    elif form is PreviewFormat.markdown:
        typer.echo(_markdown(found, max_size), nl=False)
    else:
        _show(found)
    _refuse(found)
    if exit_code and found.report.exit_code:
        raise typer.Exit(found.report.exit_code)


def _print_note(event: TaskEvent) -> None:
    """Print messages of programs and notes of the engine."""
    if event.kind == "note":
        print_message(f"{event.task.stack}: {event.data['message']}")


def _markdown(found: FleetPreview, max_size: int) -> str:
    text = render(found.report, max_size=max_size)
    return text + "".join(f"\n{line}\n" for line in _notes(found))


def _show(found: FleetPreview) -> None:
    if found.why:
        print_report(found.report)
    else:
        print_result("Nothing would change.")
    for line in _notes(found):
        print_result(line)
    if found.report.sections and not found.refused_stacks:
        print_result(f"\nNext:  flowflare fleet up -e {quote(found.environment)}")


def _notes(found: FleetPreview) -> Iterator[str]:
    """List notes to print after the plans."""
    if found.same_inputs:
        count = len(found.same_inputs)
        stacks = "1 stack has" if count == 1 else f"{count:,} stacks have"
        yield f"{stacks} unchanged inputs: skipped, without an API call."
    if found.report.api_calls:
        per = [section.api_calls for section in found.report.sections if section.api_calls]
        least = "" if min(per) == max(per) else f"{min(per)} to "
        yield (
            f"{least}{write_count(max(per), 'API call')} for each tenant that changes; `fleet up` "
            f"takes {write_duration(found.seconds)} at least, {found.workers} at a time."
        )
    if found.retired:
        listed = ", ".join(found.retired[:8]) + (" ..." if len(found.retired) > 8 else "")
        yield f"To retire these tenants, name them with `fleet up --retire`: {listed}."


def _refuse(found: FleetPreview) -> None:
    """Raise an error if `fleet up` would be refused.

    Raises:
        FleetError: stacks could not be planned, or would be refused.
    """
    broken = [section for section in found.report.sections if section.review is None]
    if broken:
        many = sum(len(section.stacks) for section in broken)
        stacks, reason = write_count(many, "stack"), broken[0].error.splitlines()[0]
        raise FleetError(f"{stacks} could not be planned: {reason}")
    if found.refused_stacks:
        stacks = write_count(found.refused_stacks, "stack")
        raise FleetError(f"`fleet up` would be refused in {stacks}")
