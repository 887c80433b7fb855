"""Groups of commands that are imported when they are used."""

import ast
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer._click import Context, HelpFormatter
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class LoadedCommands(Mapping[str, TyperCommand | TyperGroup]):
    """The commands by name. Building all of them costs 0.1 s of CPU, so each is built when read."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table
        self._built: dict[str, TyperCommand | TyperGroup] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._built:
            self._built[name] = _build_command(name, self._table[name])
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def make_table(table: Mapping[str, str]) -> type[TyperGroup]:
    """Make the class of a group of commands: `module:function` or `module:app`, by name."""

    class CommandTable(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**{**settings, "commands": LoadedCommands(table)})

        def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
            del ctx
            width = formatter.width - 6 - max(map(len, table))
            rows = [
                (name, TyperCommand(name, help=_read_help(place)).get_short_help_str(width))
                for name, place in table.items()
            ]
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    return CommandTable


def make_group(package: str, names: Mapping[str, str], text: str) -> typer.Typer:
    """Make a group of commands.

    Args:
        package: the package of the commands' modules.
        names: the function of each command, in a module of the command's name or `module:function`.
        text: what `--help` says of the group.
    """
    places = {name: at if ":" in at else f"{name}:{at}" for name, at in names.items()}
    table = {name: f"{package}.{place}" for name, place in places.items()}
    return typer.Typer(
        cls=make_table(table), no_args_is_help=True, rich_markup_mode=None, help=text
    )


def _read_help(place: str) -> str:
    """Return the help of a command from its source: importing all commands takes half a second."""
    module, _, attribute = place.partition(":")
    if attribute == "app":
        return str(getattr(import_module(module), attribute).info.help)
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == attribute:
            return ast.get_docstring(node) or ""
    return ""


def _build_command(name: str, place: str) -> TyperCommand | TyperGroup:
    path, _, attribute = place.partition(":")
    module = import_module(path)
    loaded = getattr(module, attribute)
    group = typer.Typer(rich_markup_mode=None)
    group.callback()(lambda: None)  # without a callback, a single command does not become a group
    if isinstance(loaded, typer.Typer):
        group.add_typer(loaded, name=name)
    else:
        group.command(name, context_settings=getattr(module, "CONTEXT_SETTINGS", None))(loaded)
    command: TyperCommand | TyperGroup = get_command(group).commands[name]  # type: ignore[attr-defined]
    return command
