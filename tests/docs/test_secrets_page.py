"""The page about secrets: valid sources, existing commands, and the steps of a rotation."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.files import read_project
from flowflare.config.load import load_stack
from flowflare.rollout.rotation import Keys, steps

PAGE = (Path(__file__).parent.parent.parent / "docs" / "how-to" / "secrets.md").read_text()


def test_its_samples_make_a_stack_with_every_source(tmp_path: Path) -> None:
    head = {"Pulumi.yaml": "name: shop\nruntime: python\n", "Pulumi.prod.yaml": ""}
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        name = block.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(head[name] + block)
    project = read_project(tmp_path, "prod")
    values = {key: value.text for key, value in project.values.items()}
    spec = load_stack(values | {"flowflare:accountId": "f" * 32}, project="shop", stack="prod")
    kinds = [source.kind for source in spec.clients[0].secrets.values()]
    assert sorted(kinds) == sorted(
        ["awsParameter", "awsSecretsManager", "configuration", "environment", "file", "generated"]
    )


@pytest.mark.parametrize("line", re.findall(r"^    (flowflare .+)$", PAGE, re.MULTILINE))
def test_its_commands_exist(line: str) -> None:
    import typer

    from flowflare.cli.app import app

    words = shlex.split(line)[1:]
    command: Any = typer.main.get_command(app)
    context = command.make_context("flowflare", list(words), resilient_parsing=True)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    assert command.make_context(line, words, parent=context)


def test_its_table_has_the_steps_of_a_rotation() -> None:
    rows = re.findall(r"^\| *(\d?) *\| `\[([\d, ]+)\]` \| `(\d)` \|", PAGE, re.MULTILINE)
    told = [
        (number, Keys(tuple(map(int, keys.split(", "))), int(in_use)))
        for number, keys, in_use in rows
    ]
    begun = steps(Keys(), {1}, finish=False)
    finished = steps(begun[-1].keys, {1, 2}, finish=True)
    done = {str(step.number): step.keys for step in (*begun, *finished)}
    assert told == [("", Keys()), *done.items()]
