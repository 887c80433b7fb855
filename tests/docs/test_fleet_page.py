"""The pages about fleets and environments: their samples are valid, and their commands exist."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import typer
import yaml

from flowflare.cli.app import app
from flowflare.config.files import read_project_file
from flowflare.fleet.tenants.model import Limits
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.source import SAMPLE

ROOT = Path(__file__).parents[2]
FLEET = (ROOT / "docs/how-to/fleet.md").read_text("utf-8")
ENVIRONMENTS = (ROOT / "docs/how-to/environments.md").read_text("utf-8")
PREVIEWS = (ROOT / "docs/how-to/fleet-previews.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", FLEET, re.DOTALL)
COMMAND = re.compile(r"\bflowflare (?:fleet|env) [a-z]+(?: [^`|>#\n.]+)?")


@pytest.mark.parametrize("line", sorted(set(COMMAND.findall(FLEET + ENVIRONMENTS + PREVIEWS))))
def test_its_commands_exist(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert [word for word in words if word.startswith("-") and word not in known] == []


def test_its_samples_are_valid_fleets(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    schema = json.loads(
        (ROOT / "docs/reference/schemas/flowflare.tenants.schema.json").read_text("utf-8")
    )
    stacks = []
    for text in (BLOCKS[0], SAMPLE):
        assert jsonschema_rs.Draft202012Validator(schema).is_valid(yaml.safe_load(text))
        (tmp_path / "tenants.yaml").write_text(text)
        stacks.append(read_fleet(read_project_file(tmp_path), {}).stacks())
    assert stacks[0][-3:] == ("gamma-prod", "old-dev", "old-prod")
    assert stacks[1] == ("acme-dev", "acme-prod", "beta-prod")


def test_its_figures_are_those_of_the_code() -> None:
    text = " ".join(FLEET.split())
    for figure in dict(Limits()).values():
        assert re.search(rf"\b{figure:,} (Workers|D1|cron|routes|custom)", text), figure


def test_its_workflow_has_jobs_for_up_down_and_sweep() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", ENVIRONMENTS, re.DOTALL)
    jobs = yaml.safe_load(block)["jobs"]
    assert list(jobs) == ["up", "down", "sweep"]
    assert "head.repo.full_name == github.repository" in jobs["up"]["if"]
    last = [job["steps"][-1]["run"].split()[2] for job in jobs.values()]
    assert last == ["up", "down", "sweep"]


def test_the_workflow_of_a_fleet_has_eight_shards() -> None:
    text = (ROOT / "templates/starter/github/fleet.yml").read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert jobs["up"]["strategy"]["matrix"]["shard"] == list(range(1, 9))
    assert jobs["up"]["steps"][-1]["run"].endswith('--shard "$SHARD/8"')
    runs = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    commands = [run.removeprefix(".venv/bin/") for run in runs if "flowflare" in run]
    assert [command.split()[2] for command in commands] == ["config", "up", "up", "status"]
    for command in commands:
        test_its_commands_exist(command)
    assert [name for name in re.findall(r"vars\.(\w+)", text) if f"`{name}`" not in FLEET] == []
