"""The page about adoption: its commands exist, and its table has every status."""

import re
import shlex
from pathlib import Path
from typing import get_args

import typer

from flowflare.adoption.model import Status
from flowflare.cli.app import app

PAGE = (Path(__file__).parent.parent.parent / "docs/how-to/adopt.md").read_text()


def test_its_commands_exist() -> None:
    lines = re.findall(r"^ +flowflare (.+)$", PAGE, re.MULTILINE)
    assert len(lines) == 9
    for line in lines:
        command = typer.main.get_command(app)
        words = shlex.split(line)
        while isinstance(command, typer.core.TyperGroup):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_the_table_has_every_status() -> None:
    assert set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)) == set(get_args(Status))


def test_the_page_and_the_help_list_the_same_values_of_names() -> None:
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    parameters = command.commands["adopt"].params
    (names,) = (parameter for parameter in parameters if parameter.name == "names")
    help_text = str(getattr(names, "help", ""))
    for word in ("service", "database", "clients.", "workflows.", "found", "declared"):
        assert word in help_text
        assert f"`{word}" in PAGE
