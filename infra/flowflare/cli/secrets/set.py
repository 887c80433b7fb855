"""`flowflare secrets set`: write a secret into a stack's file, encrypted."""

import os
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from flowflare.cli.completion import complete_clients
from flowflare.cli.console import print_result, quote_program
from flowflare.cli.options import (
    DEFAULT_STACK,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.config.edit import Keys
from flowflare.config.files import Project, read_project
from flowflare.config.placing import CLIENTS, find_client, parse_key, place_value, write_value
from flowflare.engine.sealing import seal_text
from flowflare.errors import SecretError
from flowflare.fleet.tenants.files import is_of_fleet, refuse_copies
from flowflare.fleet.tenants.passphrases import Passphrases
from flowflare.fleet.tenants.read import read_fleet
from flowflare.redaction.run import learn

#: A value among the arguments is refused in words, because the shell's history would keep it.
CONTEXT_SETTINGS = {"allow_extra_args": True}


def set_(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A client's secret, or a key such as cloudflare:apiToken.",
            show_default=False,
        ),
    ],
    stack: StackOption = DEFAULT_STACK,
    client: Annotated[
        str | None,
        typer.Option(
            "--client",
            metavar="NAME",
            help="The client, if several could have the secret.",
            autocompletion=complete_clients,
            show_default=False,
        ),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Write a secret into a stack's file, encrypted as the stack's secrets are.

    Asks for the value, or reads it from standard input without its last line break. Comments and
    the order of the file stay. Secrets that the stack takes over from Pulumi.yaml are copied,
    because a stack's own secrets replace all of them.

    Examples:

      flowflare secrets set PAYMENT_KEY -s prod

      pass shop/payment-key | flowflare secrets set PAYMENT_KEY -s prod --client orders

      flowflare secrets set cloudflare:apiToken -s prod
    """
    if ctx.args:
        raise typer.BadParameter(
            "a secret's value is never an argument, which other users and the shell's history see; "
            "it is asked for, or read from standard input"
        )
    project = read_project(choose_project_root(cwd), stack)
    keys = _find_keys(project, name, client)
    environ = _make_environment(project)
    text = _read_value(name)
    learn(text)
    sealed = seal_text(project, environ, text)
    write_value(project, keys, {"secure": sealed.secure}, header=sealed.header)
    where = f"of client {keys[1]} " if len(keys) == 4 else ""
    print_result(f"Set {keys[-1]} {where}in {project.stack_file.name}, encrypted.")
    print_result(f"\nNext:  {quote_program()} up{make_stack_option(stack)}")


def _find_keys(project: Project, name: str, client: str | None) -> Keys:
    """Return a secret's key; refuse a key that the next `fleet config` would remove again.

    Raises:
        ConfigError: the name is not clear.
        FleetError: the fleet writes the stack's file, with the other secrets of its key.
    """
    if ":" in name:
        keys = parse_key(name)
    else:
        keys = (CLIENTS, find_client(project, name, client), "secrets", name)
    refuse_copies(project, place_value(project, keys, {"secure": ""}))
    return keys


def _make_environment(project: Project) -> Mapping[str, str]:
    """Return the environment, with the passphrase of a fleet's stack."""
    if not is_of_fleet(project):
        return os.environ

    fleet = read_fleet(project.shared, os.environ)
    return Passphrases(fleet, project.root, os.environ).environ_of(project.stack)


def _read_value(name: str) -> str:
    if sys.stdin.isatty():
        text: str = typer.prompt(f"Value of {name}", hide_input=True, err=True)
    else:
        try:
            text = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError:
            raise SecretError(f"the value of {name} on standard input is not UTF-8") from None
        text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretError(
            f"the value of {name} on standard input is empty",
            remedy=f"Write it there: flowflare secrets set {name} < FILE",
        )
    return text
