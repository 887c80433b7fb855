"""`flowflare fleet config`: write the stack files of a fleet from `tenants.yaml`."""

import os
from collections.abc import Sequence
from difflib import unified_diff
from typing import Annotated, Any

import typer

from flowflare.cli.console import open_stdout, print_json
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.config.files import read_project_file
from flowflare.errors import FleetError
from flowflare.fleet.tenants.files import StackFile, stack_files, write
from flowflare.fleet.tenants.prune import PruneResult
from flowflare.fleet.tenants.prune import prune as prune_files
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.selection import Selection, select
from flowflare.fleet.tenants.stack_text import hide_ciphertexts
from flowflare.values.wording import write_count

EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", metavar="NAME", help="Only the stacks of this environment."
    ),
]
CheckOption = Annotated[
    bool,
    typer.Option("--check", help="Write nothing; exit with 1 if a file is out of date."),
]
DiffOption = Annotated[bool, typer.Option("--diff", help="Show the lines that change.")]
PruneOption = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Remove files of stacks that tenants.yaml no longer has, if they have no resources.",
    ),
]
_SHOWN = 20


def config(
    environment: EnvironmentOption = None,
    check: CheckOption = False,
    diff: DiffOption = False,
    prune: PruneOption = False,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Write Pulumi.<tenant>-<environment>.yaml of every tenant in tenants.yaml.

    First checks names, collisions, limits and each stack's configuration, and reports all errors at
    once. Keeps the secrets, encryptionsalt and secretsprovider of a file. `flowflare docs fleet`
    describes tenants.yaml; without that file, the command prints an example.

    Examples:

      flowflare fleet config

      flowflare fleet config --check --diff
    """
    project = read_project_file(choose_project_root(cwd))
    fleet = read_fleet(project, os.environ)
    if environment is not None:
        select(fleet, environment, Selection())  # refuses an unknown environment
    files = stack_files(fleet, environment)
    pruned: Sequence[PruneResult] = ()
    if not check:
        write(files, project.root)
        pruned = prune_files(files, project, os.environ) if prune else ()
    if json:
        print_json(_document(files, pruned, written=not check))
    else:
        _show(files, pruned, check=check, diff=diff)
    outdated = [file.path.name for file in files if file.kind != "same"]
    if check and outdated:
        count = f"{len(outdated)} files are" if len(outdated) > 1 else "1 file is"
        stale = any(file.kind == "stale" for file in files)
        remedy = f"Run: flowflare fleet config{' --prune' if stale else ''}"
        raise FleetError(f"{count} not as tenants.yaml says", remedy=remedy)


def _document(
    files: Sequence[StackFile], pruned: Sequence[PruneResult], *, written: bool
) -> dict[str, Any]:
    why = {result.file.stack: result.why_kept for result in pruned}
    listed = []
    for file in files:
        entry = {"stack": file.stack, "file": file.path.name, "kind": file.kind}
        if file.stack in why:
            entry["kept"] = why[file.stack]
            entry["kind"] = file.kind if why[file.stack] else "removed"
        listed.append(entry)
    return {"written": written, "files": listed}


def _show(
    files: Sequence[StackFile], pruned: Sequence[PruneResult], *, check: bool, diff: bool
) -> None:
    console = open_stdout()
    done = {result.file.stack: result for result in pruned}
    listed = [file for file in files if file.kind != "same"]
    for file in listed if diff or check else listed[:_SHOWN]:
        now = done.get(file.stack)
        word = "removed" if now and not now.why_kept else file.kind
        console.print(f"  {word:<8} {file.path.name}", markup=False)
        if now and now.why_kept:
            console.print(f"           {now.why_kept}\n           {now.remedy}", markup=False)
        if diff and file.kind != "stale":
            console.print(_difference(file), markup=False, end="")
    if len(listed) > _SHOWN and not (diff or check):
        console.print(f"  and {len(listed) - _SHOWN} more", markup=False)
    console.print(_summary(files, pruned, check=check), markup=False)


def _summary(files: Sequence[StackFile], pruned: Sequence[PruneResult], *, check: bool) -> str:
    kinds = [file.kind for file in files]
    removed = sum(not result.why_kept for result in pruned)
    counts = {
        "new": kinds.count("new"),
        "changed": kinds.count("changed"),
        "up to date": kinds.count("same"),
        "stale": kinds.count("stale") - removed,
        "removed": removed,
    }
    counted = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    text = "The fleet has no stacks."
    if files:
        text = f"{write_count(len(files), 'file')}: {counted}."
    if counts["stale"] and not pruned:
        text += "\nStale files belong to stacks that were removed: flowflare fleet config --prune"
    elif not check and (counts["new"] or counts["changed"]):
        text += "\n\nNext:  git diff, then flowflare fleet preview -e ENVIRONMENT"
    return text


def _difference(file: StackFile) -> str:
    before, after = hide_ciphertexts(file.before), hide_ciphertexts(file.text)
    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), n=1)
    # The first two lines are the names of both files, which are printed already.
    return "".join(f"    {line}" for line in list(lines)[2:])
