"""The workflows: who may run a stranger's code has no secret, who has a token runs none of it."""

import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.y*ml"))
STARTER = sorted((ROOT / "templates" / "starter" / "github").glob("*.yml"))
TEXTS = {file.stem: file.read_text("utf-8") for file in FILES}
WORKFLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
PINNED = re.compile(r"(?:actions|pypa)/[a-z-]+@[0-9a-f]{40}")


def events(name: str) -> set[str]:
    """What starts a workflow. YAML 1.1 reads the key `on` as true."""
    on = WORKFLOWS[name][True]
    return {on} if isinstance(on, str) else set(on)


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"]]


def used(name: str, action: str) -> list[dict[str, Any]]:
    """The inputs that an action is given, each time that it is used."""
    return [step.get("with", {}) for step in steps(name) if step.get("uses", "").startswith(action)]


def test_these_workflows_exist_and_each_is_short() -> None:
    assert set(WORKFLOWS) == {"plan", "comment", "up", "ci", "release"}
    assert [name for name, text in TEXTS.items() if len(text.splitlines()) > 70] == []


@pytest.mark.parametrize(
    "path", [*FILES, *STARTER], ids=lambda path: f"{path.parent.parent.name}-{path.stem}"
)
def test_an_expression_names_only_jobs_and_steps_that_it_can_read(path: Path) -> None:
    """`needs` has the jobs that a job names itself, not those that they need. Others are empty."""
    jobs = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    for job in jobs.values():
        names = job.get("needs", [])
        needed = {names} if isinstance(names, str) else set(names)
        assert needed <= set(jobs)
        assert set(re.findall(r"\bneeds\.([\w-]+)", str(job))) <= needed
        identities = {step["id"] for step in job["steps"] if "id" in step}
        assert set(re.findall(r"\bsteps\.([\w-]+)", str(job))) <= identities


def test_permissions_are_no_more_than_each_needs() -> None:
    granted = {name: workflow["permissions"] for name, workflow in WORKFLOWS.items()}
    assert granted == {
        "plan": {"contents": "read"},
        "comment": {"actions": "read", "contents": "read", "pull-requests": "write"},
        "up": {"contents": "read"},
        "ci": {"contents": "read"},
        "release": {"contents": "read"},
    }
    jobs = {
        (name, job): parts["permissions"]
        for name, workflow in WORKFLOWS.items()
        for job, parts in workflow["jobs"].items()
        if "permissions" in parts
    }
    assert jobs == {
        ("release", "attest"): {"attestations": "write", "id-token": "write"},
        ("release", "publish"): {"id-token": "write"},
    }


def test_a_job_that_can_publish_or_attest_runs_no_code_of_the_repository() -> None:
    for name in ("attest", "publish"):
        steps_of_job = WORKFLOWS["release"]["jobs"][name]["steps"]
        assert not [step for step in steps_of_job if "run" in step]
        assert steps_of_job[0]["uses"].startswith("actions/download-artifact@")
    assert WORKFLOWS["release"]["jobs"]["publish"]["environment"] == "pypi"


def test_ci_tests_every_python_that_the_package_supports() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    versions = [one.rsplit(" ", 1)[1] for one in classifiers if re.search(r":: 3\.\d+$", one)]
    jobs = WORKFLOWS["ci"]["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == versions
    assert [step["run"] for step in steps("ci") if "run" in step] == [
        "make test PYTHON=python",
        "make pulumi test-all",
    ]


def test_what_starts_them() -> None:
    assert {name: events(name) for name in WORKFLOWS} == {
        "plan": {"pull_request"},
        "comment": {"workflow_run"},
        "up": {"push"},
        "ci": {"push", "pull_request"},
        "release": {"push"},
    }
    assert WORKFLOWS["comment"][True]["workflow_run"]["workflows"] == [WORKFLOWS["plan"]["name"]]
    assert WORKFLOWS["up"][True]["push"] == {"branches": ["main"]}
    assert WORKFLOWS["ci"][True]["push"] == {"branches": ["main"]}
    assert WORKFLOWS["release"][True]["push"] == {"tags": ["v*"]}


@pytest.mark.parametrize("name", ["plan", "comment", "ci"])
def test_no_secret_reaches_a_pull_request(name: str) -> None:
    assert "secrets" not in WORKFLOWS[name]
    assert "secrets." not in TEXTS[name]
    assert not [job for job in WORKFLOWS[name]["jobs"].values() if "environment" in job]


def test_the_plan_gets_no_token_but_the_checkouts() -> None:
    assert "github.token" not in TEXTS["plan"]
    assert "GITHUB_TOKEN" not in TEXTS["plan"]
    assert "cache" not in TEXTS["plan"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_checkout_leaves_its_token_on_the_disk(name: str) -> None:
    given = used(name, "actions/checkout@")
    assert given
    assert all(one["persist-credentials"] is False for one in given)


def test_the_comment_runs_nothing_of_the_pull_request() -> None:
    assert [one["ref"] for one in used("comment", "actions/checkout@")] == ["${{ github.sha }}"]
    (downloaded,) = used("comment", "actions/download-artifact@")
    assert downloaded["path"] == "${{ runner.temp }}/plan"  # beside the checkout, not in it
    assert [step["run"] for step in steps("comment") if "run" in step] == [
        "make .venv/run",
        '.venv/bin/flowflare comment --report "$RUNNER_TEMP/plan/report.json"',
        ".venv/bin/flowflare comment --stale",
    ]
    assert "pull_request_target" not in TEXTS["comment"].partition("jobs:")[2]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_pasted_into_a_script(name: str) -> None:
    assert not [step["run"] for step in steps(name) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_an_action_is_pinned_by_its_commit(name: str) -> None:
    named = [step["uses"] for step in steps(name) if "uses" in step]
    assert named
    assert [one for one in named if not PINNED.fullmatch(one)] == []


def test_secrets_reach_one_step_of_the_plan_and_one_behind_an_approval() -> None:
    jobs = WORKFLOWS["up"]["jobs"]
    assert jobs["plan"]["environment"] == "${{ matrix.stack }}-plan"
    assert jobs["up"]["environment"] == "${{ matrix.stack }}"
    assert jobs["up"]["needs"] == "plan"
    assert jobs["up"]["concurrency"] == {
        "group": "up-${{ matrix.stack }}",
        "cancel-in-progress": False,
    }
    assert set(jobs["up"]["env"]) == {"DIGEST"}
    for job in jobs.values():
        holders = [step for step in job["steps"] if "secrets." in str(step)]
        assert ["flowflare" in step["run"] for step in holders] == [True]
    last = jobs["up"]["steps"][-1]["run"].splitlines()[-1]
    assert last.endswith('flowflare up --stack "$STACK" --plan plan/plan.json --digest "$DIGEST"')


@pytest.mark.parametrize("is_refused", [False, True])
def test_the_plan_and_its_digest_are_on_the_runs_page(tmp_path: Path, is_refused: bool) -> None:
    """The step's own script runs, with a stand-in for flowflare that saves a plan or refuses."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / "plan").mkdir()
    program = tmp_path / ".venv/bin/flowflare"
    saves = "exit 1" if is_refused else "printf plan > plan/plan.json"
    program.write_text(f"#!/bin/sh\n[ $1 = preview ] || exit 1\necho '```a plan'\n{saves}\n")
    program.chmod(0o755)
    (step,) = [step for step in WORKFLOWS["up"]["jobs"]["plan"]["steps"] if step.get("id")]
    files = {name: str(tmp_path / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=tmp_path,
        env={**os.environ, **files, "STACK": "prod"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == (1 if is_refused else 0)
    page = (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert page.startswith("## prod\n    ```a plan\n")
    digest = hashlib.sha256(b"plan").hexdigest()
    assert (digest in page) is not is_refused
    if not is_refused:
        assert (tmp_path / "GITHUB_OUTPUT").read_text() == f"prod={digest}\n"


def test_commits_reach_the_plan_as_variables() -> None:
    (job,) = WORKFLOWS["plan"]["jobs"].values()
    assert set(job["env"]) == {"BASE", "HEAD"}
    assert used("plan", "actions/checkout@")[0]["fetch-depth"] == 0
