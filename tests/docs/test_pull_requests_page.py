"""The page about pull requests: its commands exist, and its figures are those of the code."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from flowflare.cli.app import app
from flowflare.review.comment.marker import LIMIT
from flowflare.review.comment.received import MOST_BYTES, MOST_DEEP

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/pull-requests.md").read_text("utf-8")
WORKFLOWS = {file.name: file.read_text("utf-8") for file in ROOT.glob(".github/workflows/*.yml")}
COMMAND = re.compile(r"\bflowflare (?:diff|comment|up|doctor)(?: [^`|>\n]+)?")
COMMANDS = sorted(
    {call.strip() for text in (PAGE, *WORKFLOWS.values()) for call in COMMAND.findall(text)}
)


@pytest.mark.parametrize("line", [line for line in COMMANDS if " -" in line])
def test_its_commands_exist(line: str) -> None:
    words = shlex.split(line)[1:]
    group: Any = typer.main.get_command(app)
    command = group.commands[words[0]]
    parameters = command.params
    known = {option for each in parameters for option in (*each.opts, *each.secondary_opts)}
    assert [word for word in words[1:] if word.startswith("-") and word not in known] == []
    assert command.make_context(line, words[1:], resilient_parsing=True)


def test_it_shows_every_command() -> None:
    assert {line.split()[1] for line in COMMANDS} == {"diff", "comment", "up", "doctor"}


def test_its_figures_are_those_of_the_code() -> None:
    assert f"{LIMIT:,} characters" in PAGE
    assert f"({MOST_BYTES // 1024 // 1024} MiB, {MOST_DEEP} levels," in PAGE


def test_it_names_every_workflow() -> None:
    rows = re.findall(r"^\| `(\w+\.yml)` \|", PAGE, re.MULTILINE)
    of_this_repository = {"ci.yml", "release.yml"}  # CONTRIBUTING.md explains them
    assert set(rows) == set(WORKFLOWS) - of_this_repository


def test_every_secret_of_a_workflow_is_explained() -> None:
    secrets = re.findall(r"(?:secrets|vars)\.([A-Z_]+)", WORKFLOWS["up.yml"])
    named = {name for name in secrets if not name.startswith("AWS_")}
    assert [name for name in named if f"`{name}`" not in PAGE] == []


def test_its_gitlab_sample_has_a_plan_and_a_comment_job() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    jobs = yaml.safe_load(block)
    assert set(jobs) == {"plan", "comment"}
    assert "GITLAB_TOKEN" not in str(jobs["plan"])
    assert jobs["comment"]["needs"] == ["plan"]
