"""`flowflare adopt`: takes over an account where Flowflare was installed by hand."""

import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowflare.adoption.adopt import AdoptionPlan, AdoptionSource, OpenStack
    from flowflare.adoption.model import Adoption
    from flowflare.config.files import Project
    from flowflare.engine.state_edit import StateEdit
    from flowflare.kinds.account import Account
    from flowflare.model.stack import StackSpec

_FOUND, _DECLARED = "found", "declared"


def adopt(  # noqa: PLR0913, PLR0917 -- options
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only look: print what is there, write nothing.")
    ] = False,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--names",
            metavar="KEY=NAME",
            help="What the account calls a part: service=NAME, database=NAME, clients.C=NAME, "
            "workflows.W=NAME. `found` takes what was recognised, `declared` looks for nothing "
            "else. May be given several times.",
            show_default=False,
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            metavar="FILE",
            help="A file with the service's present API key; else FLOWFLARE_API_KEY.",
            show_default=False,
        ),
    ] = None,
    new_api_key: Annotated[
        bool,
        typer.Option("--new-api-key", help="Let the next up make another API key."),
    ] = False,
    convert_original: Annotated[
        Path | None,
        typer.Option(
            "--convert-original",
            metavar="FILE",
            help="Only write the SQL that takes the rows of the original's tables along.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Take over what was installed by hand: find it, import it into state, note D1 migrations.

    For an account that wrangler deployed to, with what `flowflare render` wrote or otherwise, or
    the original's setup script. In the account only the ledgers of D1 are written, and nothing
    anywhere unless all checks pass. What is not as the program declares it, the next `up` changes.

    Examples:

      flowflare adopt --stack prod --dry-run

      flowflare adopt --stack prod --api-key-file key.txt --names found
    """
    from flowflare.adoption.adopt import make_refusal, write_adoption
    from flowflare.cli.console import answers, command, messages, print_json
    from flowflare.config.files import read_project

    project = read_project(project_root(cwd), stack)
    if convert_original is not None:
        _convert(project, names or [], convert_original)
        return
    with messages().status("Looking at the account"):
        outcome, target = _look(project, names or [], api_key_file, new=new_api_key)
    document = outcome.document
    if not document.refusals and not dry_run:
        with messages().status("Taking it over"):
            document = write_adoption(project, outcome, target)
    if json:
        print_json(document.model_dump(mode="json"))
    else:
        _show(document)
    if document.refusals:
        raise make_refusal(document)
    if not json:
        done = "Taken over." if document.adopted_count else "There was nothing left to take over."
        said = "Nothing was written." if dry_run else done
        then = f"{command()} {'adopt' if dry_run else 'preview'} --stack {quote(stack)}"
        answers().print(f"{said}\n\nNext:  {then}", markup=False)


def _look(
    project: "Project", words: "Sequence[str]", key_file: Path | None, *, new: bool
) -> "tuple[AdoptionPlan, StateEdit]":
    from flowflare.adoption import adopt
    from flowflare.adoption.key import KeyChoice, read_key
    from flowflare.adoption.names import parse_names
    from flowflare.cli.migrations.target import read_spec
    from flowflare.kinds.account import Account

    given = read_key(key_file, os.environ)
    spec = read_spec(project)
    place, opened = _opened(project, spec)
    account = Account(place.client, place.account_id)
    written = parse_names([one for one in words if one not in (_FOUND, _DECLARED)], spec)
    chosen = _recognised(spec, account, place, written, words)
    spec = read_spec(adopt.choose_names(project, chosen))
    return adopt.plan_adoption(project, place, opened, KeyChoice(spec, given, new), chosen)


def _convert(project: "Project", words: "Sequence[str]", file: Path) -> None:
    """Writes the SQL for a database with the original's tables; runs none of it."""
    from flowflare.adoption.names import parse_names
    from flowflare.adoption.original import read_original
    from flowflare.cli.console import answers
    from flowflare.cli.migrations.target import read_spec
    from flowflare.kinds.account import Account

    spec = read_spec(project)
    place, _ = _opened(project, spec)
    account = Account(place.client, place.account_id)
    written = parse_names([one for one in words if one not in (_FOUND, _DECLARED)], spec)
    chosen = _recognised(spec, account, place, written, words)
    name = chosen.get("database", spec.service.database_name)
    file.write_text(read_original(account, name), "utf-8")
    answers().print(
        f"{file} takes the rows of {name} along. Read it, make a backup, then:\n\n"
        f"  wrangler d1 execute {name} --remote --file {file}",
        markup=False,
    )


def _recognised(
    spec: "StackSpec",
    account: "Account",
    place: "AdoptionSource",
    chosen: "Mapping[str, str]",
    words: "Sequence[str]",
) -> "Mapping[str, str]":
    """The names that were chosen, with those that were recognised where that was asked for.

    Raises:
        AdoptionError: something has another name, and nobody has said which is meant.
    """
    from flowflare.adoption.names import recognise
    from flowflare.errors import AdoptionError

    if _DECLARED in words:
        return chosen
    found = recognise(spec, account, place.client, chosen)
    open_ = [one for one in found if _FOUND not in words or len(one.candidates) > 1]
    if open_:
        write_lines = "\n".join(f"  {one}" for one in open_)
        sure = all(len(one.candidates) == 1 for one in open_)
        picked = " ".join(f"--names {one.key}={one.candidates[0]}" for one in open_)
        raise AdoptionError(
            f"the account has parts of this stack under other names:\n{write_lines}",
            remedy=f"To take them: {'--names found, or ' if sure else ''}{picked}. To have new "
            "ones made under the stack's names: --names declared",
        )
    return {**chosen, **{one.key: one.candidates[0] for one in found}}


def _opened(project: "Project", spec: "StackSpec") -> "tuple[AdoptionSource, OpenStack]":
    """The account, and what opens the stack of a project on the engine that it names."""
    from flowflare.adoption.adopt import AdoptionSource
    from flowflare.api import connect
    from flowflare.cli.access import base_url, token
    from flowflare.cli.stacks import make_ready
    from flowflare.config.engine import engine_of
    from flowflare.engine.contract import open_stack

    make_ready(project)
    client = connect(base_url(project), token(project))
    place = AdoptionSource(client, spec.account_id, engine_of(project).name)

    return place, lambda seen: open_stack(seen, dict(os.environ)).edit()


_STYLES: "Mapping[str, str]" = {
    "different": "yellow",
    "missing": "red",
    "found": "green",
    "foreign": "cyan",
    "title": "bold",
}


def _show(document: "Adoption") -> None:
    from flowflare.adoption.text import write_lines
    from flowflare.cli.console import print_lines

    print_lines(write_lines(document), _STYLES)
