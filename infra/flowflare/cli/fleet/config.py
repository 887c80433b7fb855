"""`flowflare fleet config`: writes the stacks' files of a fleet from `tenants.yaml`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowflare.cli.options import JsonOption, ProjectOption, project_root
from flowflare.errors import FleetError

if TYPE_CHECKING:
    from flowflare.fleet.tenants.files import StackFile
    from flowflare.fleet.tenants.model import Fleet
    from flowflare.fleet.tenants.prune import PruneResult

EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="NAME",
        help="Only the stacks of this environment.",
        show_default=False,
    ),
]
CheckOption = Annotated[
    bool,
    typer.Option("--check", help="Write nothing; exit code 1 if a file is not as it must be."),
]
DiffOption = Annotated[bool, typer.Option("--diff", help="Show the lines that change.")]
PruneOption = Annotated[
    bool,
    typer.Option("--prune", help="Remove files of stacks that are gone and have no resources."),
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

    Names, collisions, limits and each stack's configuration are checked first, and all mistakes
    are told at once. Secrets, encryptionsalt and secretsprovider of a file are kept. `flowflare
    docs fleet` says what tenants.yaml holds; without one, the command shows a small one.

    Examples:

      flowflare fleet config

      flowflare fleet config --check --diff
    """
    import os

    from flowflare.cli.console import print_json
    from flowflare.fleet.tenants.files import stack_files, write
    from flowflare.fleet.tenants.prune import prune as prune_files
    from flowflare.fleet.tenants.read import read_fleet

    root = project_root(cwd)
    fleet = read_fleet(root, os.environ)
    _refuse_unknown(fleet, environment)
    files = stack_files(fleet, root, environment)
    pruned: Sequence[PruneResult] = ()
    if not check:
        write(files, root)
        pruned = prune_files(files, root, os.environ) if prune else ()
    if json:
        print_json(_document(files, pruned, written=not check))
    else:
        _show(files, pruned, check=check, diff=diff)
    outdated = [one.path.name for one in files if one.kind != "same"]
    if check and outdated:
        count = f"{len(outdated)} files are" if len(outdated) > 1 else "1 file is"
        stale = any(one.kind == "stale" for one in files)
        remedy = f"Run: flowflare fleet config{' --prune' if stale else ''}"
        raise FleetError(f"{count} not as tenants.yaml says", remedy=remedy)


def _refuse_unknown(fleet: "Fleet", environment: str | None) -> None:
    if environment is not None:
        from flowflare.fleet.tenants.selection import Selection, select

        select(fleet, environment, Selection())


def _document(
    files: "Sequence[StackFile]", pruned: "Sequence[PruneResult]", *, written: bool
) -> dict[str, Any]:
    why = {one.file.stack: one.why_kept for one in pruned}
    listed = []
    for one in files:
        entry = {"stack": one.stack, "file": one.path.name, "kind": one.kind}
        if one.stack in why:
            entry["kept"] = why[one.stack]
            entry["kind"] = one.kind if why[one.stack] else "removed"
        listed.append(entry)
    return {"written": written, "files": listed}


def _show(
    files: "Sequence[StackFile]", pruned: "Sequence[PruneResult]", *, check: bool, diff: bool
) -> None:
    from flowflare.cli.console import answers

    console = answers()
    done = {one.file.stack: one for one in pruned}
    listed = [one for one in files if one.kind != "same"]
    for one in listed if diff or check else listed[:_SHOWN]:
        now = done.get(one.stack)
        word = "removed" if now and not now.why_kept else one.kind
        console.print(f"  {word:<8} {one.path.name}", markup=False)
        if now and now.why_kept:
            console.print(f"           {now.why_kept}\n           {now.remedy}", markup=False)
        if diff and one.kind != "stale":
            console.print(_difference(one), markup=False, end="")
    if len(listed) > _SHOWN and not (diff or check):
        console.print(f"  and {len(listed) - _SHOWN} more", markup=False)
    console.print(_summary(files, pruned, check=check), markup=False)


def _summary(files: "Sequence[StackFile]", pruned: "Sequence[PruneResult]", *, check: bool) -> str:
    kinds = [one.kind for one in files]
    gone = sum(not one.why_kept for one in pruned)
    counts = {
        "new": kinds.count("new"),
        "changed": kinds.count("changed"),
        "as it must be": kinds.count("same"),
        "stale": kinds.count("stale") - gone,
        "removed": gone,
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    stacks = f"{len(files)} files" if len(files) != 1 else "1 file"
    text = f"{stacks}: {told}." if files else "The fleet has no stacks."
    if counts["stale"] and not pruned:
        text += "\nStale files are of stacks that are gone: flowflare fleet config --prune"
    elif not check and (counts["new"] or counts["changed"]):
        text += "\n\nNext:  git diff, then flowflare fleet preview -e ENVIRONMENT"
    return text


def _difference(file: "StackFile") -> str:
    from difflib import unified_diff

    from flowflare.fleet.tenants.stack_text import hide_ciphertexts

    before, after = hide_ciphertexts(file.before), hide_ciphertexts(file.text)
    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), n=1)
    # The names of both sides stand above already.
    return "".join(f"    {line}" for line in list(lines)[2:])
