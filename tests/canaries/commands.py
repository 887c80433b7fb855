"""All commands of Flowflare, the forms in which tests run them on the canaries, and exit codes.

`test_command_list.py` fails for a new command until it is listed here. `{stack}` is replaced by
each of the project's stacks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from typer.main import get_command

from flowflare.cli.app import app

#: Commands that do not change stacks, files of the project or the account.
READERS: Final[Mapping[str, tuple[str, ...]]] = {
    "doctor": ("-s {stack}", "-s {stack} --json"),
    "preview": ("-s {stack} --diff", "-s {stack} --json"),
    "outputs": ("-s {stack}", "-s {stack} --json"),
    "config ls": ("-s {stack}", "-s {stack} --json"),
    "config get": ("accountId -s {stack}", "clients -s {stack} --json"),
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
    "up": ("-s {stack} --yes", "-s {stack} --yes --json"),
    "refresh": ("-s {stack}", "-s {stack} --json"),
    "order": ("-s {stack}", "-s {stack} --json"),
    "secrets rotate": ("-s {stack} --preview", "-s {stack} --json"),
    "migrations baseline": ("-s {stack}", "-s {stack} --json"),
    "migrations restore": (
        "-s {stack} --timestamp 2026-01-01T00:00:00Z",
        "-s {stack} --bookmark x --json",
    ),
    "config set": ("debug true -s {stack}",),
    "secrets set": ("cloudflare:apiToken -s {stack}",),
    "unlock": ("-s {stack}",),
    "stack rm": ("{stack}",),
    "env up": ("pr-1 --from emb", "pr-1 --from emb --json"),
    "env down": ("pr-1", "pr-1 --json"),
    "env sweep": ("--dry-run", "--dry-run --json", "", "--json"),
    "fleet up": ("-e live", "-e prod", "-e prod --json"),
    "fleet secrets rotate": ("-e prod --preview", "-e prod --json"),
    "fleet destroy": ("-e prod --tenants acme", "-e live --tenants beta --json --no-export"),
}

#: Commands that read no state, and no configuration that has secrets.
EXEMPT: Final[Mapping[str, str]] = {
    "docs": "prints pages of the documentation",
    "schema": "prints a JSON Schema; opens no project",
    "init": "writes a new project, which has no stack yet",
    "types": "copies the runtime library into node_modules",
    "comment": "reads a report of `diff`, which is listed",
    "migrations new": "writes an empty SQL file",
    "emulator start": "starts the embedded Cloudflare; opens no state and no secret",
    "emulator stop": "ends the embedded Cloudflare; opens no state and no secret",
    "emulator env": "prints the embedded Cloudflare's token, which is its purpose",
}


COMMANDS: Final = {**READERS, **CHANGERS}

#: Exit codes other than 0 by the beginning of the command line; the longest beginning counts. No
#: form is a usage error, which would test nothing: with `--exit-code`, 2 and 3 report changes and
#: drift.
CODES: Final[Mapping[str, int]] = {
    # The stack `rec` needs the Pulumi CLI, which is missing.
    "doctor -s rec": 1,
    "outputs -s rec": 1,
    "secrets status -s rec": 1,
    # The stacks have resources.
    "stack rm": 1,
    # Standard input is empty.
    "secrets set": 1,
    # The account has no resources of these stacks.
    "drift": 1,
    "drift -s calm": 2,
    "migrations status": 1,
    # The state is that of an interrupted update of another account.
    "destroy": 1,
    "adopt": 1,
    # The tenants of this environment are not deployed, since they need the Pulumi CLI.
    "fleet secrets rotate": 1,
    # No migration was applied outside Flowflare, and the embedded Cloudflare keeps no bookmarks.
    "migrations baseline": 1,
    "migrations restore": 1,
}

#: The same for commands in their own processes. Commands that change something run after an `up`
#: of the stack `emb`.
PROCESS_CODES: Final[Mapping[str, int]] = {
    **CODES,
    # The commits differ, and so do the stacks and their account.
    "diff HEAD~1 --format json --exit-code": 2,
    "fleet preview -e live --json --exit-code": 3,
    "fleet drift -e prod --json --exit-code": 2,
    # These stacks and this fleet need the Pulumi CLI, which is missing.
    "fleet drift -e live": 1,
    "fleet up -e live": 1,
    "up -s rec": 1,
    "refresh -s rec": 1,
    "order -s rec": 1,
    "unlock -s rec": 1,
    "secrets rotate -s rec": 1,
    # A deployed stack can be adopted and destroyed.
    "destroy -s emb --preview": 0,
    "adopt -s emb": 0,
    # The tenants have changes that are not deployed.
    "fleet secrets rotate": 1,
    # It asks for a confirmation that no form has.
    "fleet destroy": 1,
    # This stack is not deployed.
    "order -s calm": 1,
    "secrets rotate -s calm --json": 1,
}


def list_commands() -> dict[str, set[str]]:
    """List all commands with their options."""
    return dict(_walk_commands(get_command(app), ()))


def _walk_commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), {name for option in command.params for name in option.opts}
        return
    for name, subcommand in inner.items():
        yield from _walk_commands(subcommand, (*path, name))


def make_forms(name: str, stacks: Sequence[str]) -> Iterator[list[str]]:
    """Yield the words of a command in each form, for each stack if the form names one."""
    for form in COMMANDS[name]:
        for stack in stacks if "{stack}" in form else stacks[:1]:
            yield make_words(name, form, stack)


def make_words(name: str, form: str, stack: str) -> list[str]:
    """Return the words of a command in one form."""
    return [*name.split(), *form.format(stack=stack).split()]


def find_code(line: str, codes: Mapping[str, int] = CODES) -> int:
    """Return the expected exit code of a command line on the project of canaries."""
    begins = [start for start in codes if line.startswith(start)]
    return codes[max(begins, key=len)] if begins else 0
