"""The workflows that `flowflare init` writes: pinned, few permissions, no Makefile needed.

`tests/e2e/test_made_project.py` runs their commands.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowflare.cli.app import COMMANDS

STARTER = Path(__file__).parents[2] / "templates" / "starter"
TEXTS = {file.stem: file.read_text("utf-8") for file in (STARTER / "github").glob("*.yml")}
WORKFLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
GITLAB_TEXT = (STARTER / "gitlab-ci.yml").read_text("utf-8")
GITLAB: dict[str, Any] = yaml.safe_load(GITLAB_TEXT)
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40}")
SECRET = re.compile(r"secrets\.(\w+)")
#: What the same action is pinned to in this repository, whose pins Dependabot raises.
OURS = {
    match[1]: match[0]
    for file in Path(__file__).parents[2].glob(".github/workflows/*.yml")
    for match in re.finditer(r"(actions/[a-z-]+)@[0-9a-f]{40} # v[\d.]+", file.read_text("utf-8"))
}


def jobs(name: str) -> list[dict[str, Any]]:
    return list(WORKFLOWS[name]["jobs"].values())


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name) for step in job["steps"]]


def events(name: str) -> set[str]:
    """Return the events that start a workflow. YAML 1.1 reads the key `on` as true."""
    on = WORKFLOWS[name][True]
    return {on} if isinstance(on, str) else set(on)


def test_these_workflows_exist_and_each_is_started_by_its_event() -> None:
    assert {name: events(name) for name in WORKFLOWS} == {
        "plan": {"pull_request"},
        "comment": {"workflow_run"},
        "up": {"push"},
        "drift": {"schedule", "workflow_dispatch"},
        "fleet": {"push"},
    }
    assert WORKFLOWS["comment"][True]["workflow_run"]["workflows"] == [WORKFLOWS["plan"]["name"]]


def test_permissions_are_no_more_than_each_needs() -> None:
    read = {"contents": "read"}
    comment = {"actions": "read", "contents": "read", "pull-requests": "write"}
    granted = {name: workflow["permissions"] for name, workflow in WORKFLOWS.items()}
    assert granted == {**dict.fromkeys(WORKFLOWS, read), "comment": comment}
    assert not [job for name in WORKFLOWS for job in jobs(name) if "permissions" in job]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_as_in_this_repository(name: str) -> None:
    used = [step["uses"] for step in steps(name) if "uses" in step]
    assert [action for action in used if not PINNED.fullmatch(action)] == []
    written = re.findall(r"uses: (\S+@\S+ # \S+)", TEXTS[name])
    assert written == [OURS[line.partition("@")[0]] for line in written]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_pasted_into_a_script_and_no_checkout_leaves_its_token(name: str) -> None:
    assert not [step["run"] for step in steps(name) if "${{" in step.get("run", "")]
    checkouts = [step for step in steps(name) if "checkout@" in step.get("uses", "")]
    assert len(checkouts) == len(jobs(name))
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_needs_only_the_files_of_its_project(name: str) -> None:
    """This repository's Makefile and lock files are not part of a new project."""
    commands = "\n".join(step.get("run", "") for step in steps(name))
    assert "make" not in commands
    installs = [line for line in commands.splitlines() if "install" in line and "pip" in line]
    assert len(installs) == len(jobs(name))
    assert all("--require-hashes --requirement requirements.txt" in line for line in installs)


def test_no_secret_reaches_a_job_that_runs_the_code_of_a_pull_request() -> None:
    assert not SECRET.search(TEXTS["plan"])
    assert "github.token" not in TEXTS["plan"]
    assert not [job for job in jobs("plan") if "environment" in job]
    assert "pull_request_target" not in "".join(TEXTS.values())
    comment = WORKFLOWS["comment"]["jobs"]["comment"]
    assert comment["steps"][0]["with"]["ref"] == "${{ github.sha }}"
    assert not SECRET.search(TEXTS["comment"])


@pytest.mark.parametrize("name", ["up", "drift", "fleet"])
def test_a_secret_reaches_a_step_of_an_environment_that_installs_nothing(name: str) -> None:
    assert "env" not in WORKFLOWS[name] or not SECRET.search(str(WORKFLOWS[name]["env"]))
    for job in jobs(name):
        assert "environment" in job
        assert not SECRET.search(str(job.get("env")))
        holders = [step for step in job["steps"] if SECRET.search(str(step))]
        assert holders
        assert not [
            step for step in holders if "pip install" in step["run"] or "npm" in step["run"]
        ]
        assert set(SECRET.findall(str(holders))) == {
            *("PULUMI_CONFIG_PASSPHRASE", "CLOUDFLARE_API_TOKEN"),
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        }


def test_the_jobs_of_gitlab_install_pinned_packages_and_a_plan_has_no_token() -> None:
    installs = [line for line in GITLAB_TEXT.splitlines() if "pip install" in line]
    assert installs == [
        "    - .venv/bin/pip install --require-hashes --requirement requirements.txt"
    ]
    named = {name: job for name, job in GITLAB.items() if "script" in job and name[0] != "."}
    assert set(named) == {"plan", "comment", "drift", "fleet"}
    extended = [name for name, job in GITLAB.items() if job.get("extends") == ".up"]
    assert extended == ["up-dev", "up-prod"]
    assert "GITLAB_TOKEN" not in str(named["plan"])
    on_requests = [
        name for name, job in named.items() if "merge_request_event" in str(job["rules"])
    ]
    assert on_requests == ["plan", "comment"]
    assert not [name for name in on_requests if "environment" in named[name]]


def test_the_readme_of_a_project_explains_every_secret_and_variable() -> None:
    readme = (STARTER / "README.md.j2").read_text("utf-8")
    commands = re.findall(r"\bflowflare ([a-z]+)", readme)
    assert set(commands) <= set(COMMANDS)
    named = set(re.findall(r"(?:secrets|vars)\.(\w+)", "".join(TEXTS.values())))
    assert [name for name in named if f"`{name}`" not in readme] == []
    assert [name for name in WORKFLOWS if f"`{name}.yml`" not in readme] == []
