"""The list of commands, each imported on first use, and the text above them in `--help`."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from typer.core import TyperCommand

#: In the order of `--help`: a function is a command, an `app` is a group of commands.
COMMANDS: Final[Mapping[str, str]] = {
    "init": "flowflare.cli.init:init",
    "up": "flowflare.cli.up:up",
    "preview": "flowflare.cli.preview:preview",
    "diff": "flowflare.cli.diff:diff",
    "comment": "flowflare.cli.comment:comment",
    "destroy": "flowflare.cli.destroy:destroy",
    "outputs": "flowflare.cli.outputs:outputs",
    "render": "flowflare.cli.render:render",
    "types": "flowflare.cli.types:types",
    "order": "flowflare.cli.order:order",
    "unlock": "flowflare.cli.unlock:unlock",
    "drift": "flowflare.cli.drift:drift",
    "refresh": "flowflare.cli.refresh:refresh",
    "adopt": "flowflare.cli.adopt:adopt",
    "doctor": "flowflare.cli.doctor:doctor",
    "docs": "flowflare.cli.docs:docs",
    "schema": "flowflare.cli.docs:schema",
    "config": "flowflare.cli.config:app",
    "secrets": "flowflare.cli.secrets:app",
    "migrations": "flowflare.cli.migrations:app",
    "fleet": "flowflare.cli.fleet:app",
    "env": "flowflare.cli.env:app",
    "emulator": "flowflare.cli.emulator:app",
}


class LoadedCommands(Mapping[str, "TyperCommand | TyperGroup"]):
    """The commands by name. Building all of them costs 0.1 s of CPU, so each is built when read."""

    def __init__(self) -> None:
        self._built: dict[str, TyperCommand | TyperGroup] = {}

    def __getitem__(self, name: str) -> "TyperCommand | TyperGroup":
        if name not in self._built:
            self._built[name] = _build_command(name)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class CommandTable(TyperGroup):
    """A group whose commands are those of `COMMANDS`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": LoadedCommands()})


def _build_command(name: str) -> "TyperCommand | TyperGroup":
    module, _, attribute = COMMANDS[name].partition(":")
    loaded = getattr(import_module(module), attribute)
    group = typer.Typer(rich_markup_mode=None)
    group.callback()(lambda: None)  # without a callback, a single command does not become a group
    if isinstance(loaded, typer.Typer):
        group.add_typer(loaded, name=name)
    else:
        group.command(name)(loaded)
    command: TyperCommand | TyperGroup = get_command(group).commands[name]  # type: ignore[attr-defined]
    return command


app = typer.Typer(
    name="flowflare",
    cls=CommandTable,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Provision the tracking of Cloudflare Workflows, on an embedded Cloudflare or a real one.

    Start here:  flowflare init my-tracking && cd my-tracking && flowflare up
    """,
)


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(version("flowflare"))
        raise typer.Exit


@app.callback()
def flowflare(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Define the options that come before a command."""
