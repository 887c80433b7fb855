"""`flowflare adopt`: import Workers, databases and secrets that were created outside the stack."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from flowflare.adoption.adopt import (
    AdoptionPlan,
    AdoptionSource,
    OpenStack,
    choose_names,
    make_refusal,
    plan_adoption,
    write_adoption,
)
from flowflare.adoption.key import KeyChoice, read_key
from flowflare.adoption.names import parse_names, recognise
from flowflare.adoption.original import read_original
from flowflare.adoption.owners import list_owned_scripts, read_other_states
from flowflare.adoption.text import write_lines
from flowflare.api import connect
from flowflare.cli.console import open_stderr, print_json, print_lines, print_result, quote_program
from flowflare.cli.migrations.target import read_spec
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.cli.stacks import make_ready
from flowflare.config.engine import engine_of
from flowflare.config.files import Project, read_project
from flowflare.engine.access import find_token, read_base_url
from flowflare.engine.contract import open_stack
from flowflare.engine.embedded.state_edit import StateEdit
from flowflare.errors import AdoptionError
from flowflare.kinds.account import Account
from flowflare.model.stack import StackSpec

_FOUND, _DECLARED = "found", "declared"


def adopt(  # noqa: PLR0913, PLR0917 -- options
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be imported, and write nothing.")
    ] = False,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--names",
            metavar="KEY=NAME",
            help="The name of a resource in the account: service=NAME, database=NAME, "
            "clients.C=NAME, workflows.W=NAME. `found` uses the names that were recognised, "
            "`declared` only those of the configuration. May be given several times.",
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            metavar="FILE",
            help="A file with the service's current API key; else FLOWFLARE_API_KEY.",
        ),
    ] = None,
    new_api_key: Annotated[
        bool,
        typer.Option("--new-api-key", help="Let the next up create a new API key."),
    ] = False,
    convert_original: Annotated[
        Path | None,
        typer.Option(
            "--convert-original",
            metavar="FILE",
            help="Only write SQL that copies the rows of the original setup's tables.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Import Workers, databases and secrets that were created outside this stack.

    Works on accounts that wrangler or the original setup script deployed to. Records which D1
    migrations are applied, and changes nothing else in the account. Writes nothing at all unless
    every check passes. The next `up` changes what differs from the program.

    Examples:

      flowflare adopt --stack prod --dry-run

      flowflare adopt --stack prod --api-key-file key.txt --names found
    """
    project = read_project(choose_project_root(cwd), stack)
    if convert_original is not None:
        _convert(project, names or [], convert_original)
        return
    with open_stderr().status("Reading the account"):
        outcome, target = _look(project, names or [], api_key_file, new=new_api_key)
    document = outcome.document
    if not document.refusals and not dry_run:
        with open_stderr().status("Importing"):
            document = write_adoption(project, outcome, target)
    if json:
        print_json(document.model_dump(mode="json"))
    else:
        print_lines(write_lines(document), _STYLES)
    if document.refusals:
        raise make_refusal(document)
    if not json:
        done = "Imported." if document.adopted_count else "Everything was already imported."
        outcome_text = "Nothing was written." if dry_run else done
        command = f"{'adopt' if dry_run else 'preview'} --stack {quote(stack)}"
        print_result(f"{outcome_text}\n\nNext:  {quote_program()} {command}")


def _look(
    project: Project, words: Sequence[str], key_file: Path | None, *, new: bool
) -> tuple[AdoptionPlan, StateEdit]:
    given = read_key(key_file, os.environ)
    spec = read_spec(project)
    place, opened = _open_source(project, spec)
    account = Account(place.client, place.account_id)
    written = parse_names([word for word in words if word not in (_FOUND, _DECLARED)], spec)
    neighbours = opened(project).neighbours
    states = read_other_states(*neighbours) if neighbours else ()
    owned = list_owned_scripts(states, place.account_id)
    chosen = _choose_names(spec, account, place, written, words, owned)
    spec = read_spec(choose_names(project, chosen))
    return plan_adoption(project, place, opened, KeyChoice(spec, given, new), chosen)


def _convert(project: Project, words: Sequence[str], file: Path) -> None:
    """Write SQL that copies the rows of the original's tables, without running it."""
    spec = read_spec(project)
    place, _ = _open_source(project, spec)
    account = Account(place.client, place.account_id)
    written = parse_names([word for word in words if word not in (_FOUND, _DECLARED)], spec)
    chosen = _choose_names(spec, account, place, written, words, {})
    name = chosen.get("database", spec.service.database_name)
    file.write_text(read_original(account, name), "utf-8")
    print_result(
        f"{file} copies the rows of {name}. Read it, make a backup, then run:\n\n"
        f"  wrangler d1 execute {name} --remote --file {file}"
    )


def _choose_names(
    spec: StackSpec,
    account: Account,
    place: AdoptionSource,
    chosen: Mapping[str, str],
    words: Sequence[str],
    owned: Mapping[str, str],
) -> Mapping[str, str]:
    """Return the names given on the command line, and recognised ones if `found` is among them.

    Raises:
        AdoptionError: a resource has another name, and the command line does not say which to use.
    """
    if _DECLARED in words:
        return chosen
    found = recognise(spec, account, place.client, chosen, owned)
    undecided = [part for part in found if _FOUND not in words or len(part.candidates) > 1]
    if undecided:
        lines = "\n".join(f"  {part}" for part in undecided)
        sure = all(len(part.candidates) == 1 for part in undecided)
        picked = " ".join(f"--names {part.key}={part.candidates[0]}" for part in undecided)
        raise AdoptionError(
            f"the account has resources of this stack under other names:\n{lines}",
            remedy=f"To import them: {'--names found, or ' if sure else ''}{picked}. To create "
            "new ones under the stack's names: --names declared",
        )
    return {**chosen, **{part.key: part.candidates[0] for part in found}}


def _open_source(project: Project, spec: StackSpec) -> tuple[AdoptionSource, OpenStack]:
    """Open the account, and return it with a function that opens the stack."""
    make_ready(project)
    client = connect(read_base_url(project, os.environ), find_token(project, os.environ))
    place = AdoptionSource(client, spec.account_id, engine_of(project).name)

    return place, lambda seen: open_stack(seen, dict(os.environ)).edit()


_STYLES: Mapping[str, str] = {
    "different": "yellow",
    "missing": "red",
    "found": "green",
    "foreign": "cyan",
    "title": "bold",
}
