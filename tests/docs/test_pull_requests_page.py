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
STARTER = ROOT / "templates" / "starter"
WORKFLOWS = {file.name: file.read_text("utf-8") for file in STARTER.glob("github/*.yml")}
OURS = [file.read_text("utf-8") for file in ROOT.glob(".github/workflows/*.yml")]
GITLAB = (STARTER / "gitlab-ci.yml").read_text("utf-8")
COMMAND = re.compile(r"\bflowflare (?:diff|comment|up|doctor|drift|init)(?: [^`|>\n]+)?")
COMMANDS = sorted(
    {
        call.strip()
        for text in (PAGE, GITLAB, *WORKFLOWS.values(), *OURS)
        for call in COMMAND.findall(text)
    }
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
    assert {line.split()[1] for line in COMMANDS} == {
        "diff",
        "comment",
        "up",
        "doctor",
        "drift",
        "init",
    }


def test_its_figures_are_those_of_the_code() -> None:
    assert f"{LIMIT:,} characters" in PAGE
    assert f"({MOST_BYTES // 1024 // 1024} MiB, {MOST_DEEP} levels," in PAGE


def test_it_names_every_workflow() -> None:
    rows = re.findall(r"^\| `(\w+\.yml)` \|", PAGE, re.MULTILINE)
    assert set(rows) == set(WORKFLOWS)


def test_every_secret_of_a_workflow_is_explained() -> None:
    secrets = re.findall(r"(?:secrets|vars)\.([A-Z_]+)", WORKFLOWS["up.yml"])
    named = {name for name in secrets if not name.startswith("AWS_")}
    assert [name for name in named if f"`{name}`" not in PAGE] == []


def test_it_names_every_job_of_gitlab() -> None:
    jobs = [name for name in yaml.safe_load(GITLAB) if name[0] != "." and name != "default"]
    section = PAGE.partition("## GitLab")[2]
    assert [name for name in jobs if f"`{name}`" not in section] == []
