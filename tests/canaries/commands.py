"""Every command of Flowflare, and the forms in which the tests run it on a project of canaries.

A new command fails `test_command_list.py` until it is listed here. `{stack}` stands for each of the
project's stacks in turn.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from typer.main import get_command

from flowflare.cli.app import app

#: Commands that leave stacks, files of the project and the account as they are.
READERS: Final[Mapping[str, tuple[str, ...]]] = {
    "doctor": ("-s {stack}", "-s {stack} --json"),
    "preview": ("-s {stack} --diff", "-s {stack} --json"),
    "outputs": ("-s {stack}", "-s {stack} --json"),
    "secrets status": ("-s {stack}", "-s {stack} --json"),
    "drift": ("", "-s {stack} --json --exit-code"),
    "migrations lint": ("-s {stack}", "-s {stack} --json"),
    "migrations status": ("-s {stack}", "-s {stack} --json"),
    "render": ("-s {stack}", "-s {stack} --json"),
    "env list": ("", "--json"),
    "fleet config": ("--check", "--diff", "", "--json"),
    "fleet status": ("-e live", "-e prod --all --json"),
    "emulator status": ("", "--json"),
    "emulator logs": ("",),
    "diff": ("HEAD~1", "HEAD~1 --format json --exit-code --stack rec"),
    "fleet preview": (
        "-e live --again --diff",
        "-e prod --format markdown",
        "-e live --json --exit-code",
    ),
    "fleet drift": ("-e live", "-e prod", "-e prod --json --exit-code"),
}
#: Commands that change something, in the order of a stack's life.
CHANGERS: Final[Mapping[str, tuple[str, ...]]] = {
    "destroy": ("-s {stack} --preview", "-s {stack}"),
    "adopt": ("-s {stack} --dry-run --names declared", "-s {stack} --json --names declared"),
    "up": ("-s {stack}", "-s {stack} --json"),
    "order": ("-s {stack}", "-s {stack} --json"),
    "secrets rotate": ("-s {stack} --preview", "-s {stack} --json"),
    "migrations baseline": ("-s {stack}", "-s {stack} --json"),
    "migrations restore": (
        "-s {stack} --timestamp 2026-01-01T00:00:00Z",
        "-s {stack} --bookmark x --json",
    ),
    "unlock": ("-s {stack}",),
    "env up": ("pr-1 --from emb", "pr-1 --from emb --json"),
    "env down": ("pr-1", "pr-1 --json"),
    "env sweep": ("--dry-run", "--dry-run --json", "", "--json"),
    "fleet up": ("-e live", "-e prod", "-e prod --json"),
    "fleet destroy": ("-e prod --tenants acme", "-e live --tenants beta --json --no-export"),
}

#: Commands that read no state, and no configuration that has secrets.
EXEMPT: Final[Mapping[str, str]] = {
    "docs": "prints pages of the documentation",
    "schema": "prints a JSON Schema; opens no project",
    "init": "writes a new project; no stack has been made in it",
    "comment": "reads a report, which `diff` has written; that one is listed",
    "migrations new": "writes an empty SQL file",
    "emulator start": "starts the embedded Cloudflare; opens no state and no secret",
    "emulator stop": "ends the embedded Cloudflare; opens no state and no secret",
    "emulator env": "prints the embedded Cloudflare's token, which is what it is for",
}


COMMANDS: Final = {**READERS, **CHANGERS}


def all_commands() -> dict[str, set[str]]:
    """Every command of the command line with its options."""
    return dict(_commands(get_command(app), ()))


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), {name for one in command.params for name in one.opts}
        return
    for name, one in inner.items():
        yield from _commands(one, (*path, name))


def forms_of(name: str, stacks: Sequence[str]) -> Iterator[list[str]]:
    """The words of a command in each of its forms, on each stack where the form names one."""
    for form in COMMANDS[name]:
        for stack in stacks if "{stack}" in form else stacks[:1]:
            yield words_of(name, form, stack)


def words_of(name: str, form: str, stack: str) -> list[str]:
    """The words of a command in one form."""
    return [*name.split(), *form.format(stack=stack).split()]
