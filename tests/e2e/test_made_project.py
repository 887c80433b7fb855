"""The workflows of a project that `flowflare init` made run in that project, step by step.

Packages come from this environment, because tests have no network: the step that installs them is
compared with the pinned commands. GitHub is a stand-in with its API.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.command import flowflare
from tests.e2e.conftest import use_cloudflare
from tests.e2e.embedded import Account, Cloudflare
from tests.unit.review.comment.forge import REPOSITORY, TOKEN, serving
from tests.unit.review.comment.test_target import RUN, pull

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
INSTALL = ["python -m venv .venv", "npm ci --ignore-scripts"]
INSTALL.insert(1, ".venv/bin/pip install --require-hashes --requirement requirements.txt")
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
TENANTS = """\
defaults:
  engine: embedded
  accountId: {account}
  protect: false
  cloudflare:baseUrl: {base_url}
environments:
  prod: {{}}
tenants:
  acme: {{tags: [canary]}}
"""


class MadeProject:
    """A repository with the project of `flowflare init`, and the workflows that run in it."""

    def __init__(self, root: Path, account: Account, base_url: str) -> None:
        self.root = root
        self.account = account
        self.base_url = base_url
        # What the expressions of the workflows stand for in this run.
        self.values = {
            "vars.FLEET_ENVIRONMENT": "prod",
            "matrix.shard": "1",
            "matrix.stack": "local",
        }
        self.values |= {"github.token": TOKEN, "vars.PULUMI_BACKEND_URL": ""}
        names = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        self.environ = {name: str(root.parent / name) for name in names}

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@shop.example"]
        return self.run_shell(" ".join(["git", *who, *words])).stdout.strip()

    def run_shell(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a step's script as GitHub does."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.root,
            env=os.environ | self.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done

    def read_output(self, name: str) -> str:
        """Return what a step gave a name, for the jobs that need it."""
        text = Path(self.environ["GITHUB_OUTPUT"]).read_text()
        return dict(line.split("=", 1) for line in text.splitlines())[name]

    def run_workflow(self, name: str, *jobs: str, outcome: str = "success") -> str:
        """Run the steps of a workflow's jobs in order, and return their output."""
        workflow = yaml.safe_load((self.root / f".github/workflows/{name}.yml").read_text())
        said = ""
        for job in jobs or workflow["jobs"]:
            given = workflow.get("env", {}) | workflow["jobs"][job].get("env", {})
            for step in workflow["jobs"][job]["steps"]:
                if "run" in step and outcome in step.get("if", outcome):
                    said += self._run_step(step, given)
        return said

    def _run_step(self, step: dict[str, Any], given: dict[str, str]) -> str:
        variables = {
            key: EXPRESSION.sub(lambda match: self.values.get(match[1], ""), str(value))
            for key, value in (given | step.get("env", {})).items()
        }
        # An empty variable is not set here, as the embedded Cloudflare needs none of the secrets.
        variables = {key: value for key, value in variables.items() if value}
        lines = step["run"].splitlines()
        if lines[0] == INSTALL[0]:
            assert lines[: len(INSTALL)] == INSTALL[: len(lines)]
            lines = lines[len(INSTALL) :]
        # It downloads the Pulumi CLI from GitHub.
        script = "\n".join(lines).replace(" --install", "")
        done = self.run_shell(script, **variables)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> MadeProject:
    root = tmp_path_factory.mktemp("made") / "shop"
    assert flowflare("init", str(root)).code == 0
    project = use_cloudflare(root, cloudflare)
    (root / ".venv").symlink_to(Path(sys.executable).parents[1])
    shop = MadeProject(root, project.account, cloudflare.base_url)
    shop.git("init -q -b main")
    # A link is not a folder, so `.venv/` does not match it.
    shop.run_shell("echo .venv >> .gitignore; git add .")
    shop.git("commit -q -m base")
    return shop


@pytest.mark.long
def test_a_push_is_deployed_and_has_not_drifted(shop: MadeProject) -> None:
    # The artifact of the first job is the folder of the second.
    shop.run_workflow("up", "plan")
    shop.values["needs.plan.outputs[matrix.stack]"] = shop.read_output("local")
    assert "11 created" in shop.run_workflow("up", "up")
    assert "Nothing has drifted" in shop.run_workflow("drift")


@pytest.mark.long
def test_a_pull_request_is_planned_and_its_plan_becomes_a_comment(shop: MadeProject) -> None:
    base = shop.git("rev-parse HEAD")
    source = shop.root / "worker_src/orders/src/index.js"
    source.write_text(source.read_text().replace("sku: 'tea'", "sku: 'mate'"))
    shop.git("commit -q -a -m mate")
    head = shop.git("rev-parse HEAD")
    for name, sha in (("base", base), ("head", head)):
        shop.values[f"github.event.pull_request.{name}.sha"] = sha
    shop.run_workflow("plan")
    report = json.loads((shop.root / "plan/report.json").read_text())
    assert report["head"]["sha"] == head

    event = shop.root.parent / "event.json"
    event.write_text(json.dumps({"action": "completed", "workflow_run": RUN | {"head_sha": head}}))
    with serving() as forge:
        forge.pulls = [pull(7)]
        forge.pulls[0]["head"] |= {"ref": RUN["head_branch"], "sha": head}
        shop.environ |= {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": forge.url,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_RUN_ID": "99",
            "GITHUB_RUN_ATTEMPT": "1",
            "RUNNER_TEMP": str(shop.root),
        }
        shop.run_workflow("comment")
        (body,) = forge.by()
        assert "flowflare-orders-script" in body


@pytest.mark.long
def test_the_tenants_of_a_fleet_are_deployed(shop: MadeProject) -> None:
    account = shop.account.identity
    text = TENANTS.format(account=account, base_url=shop.base_url)
    (shop.root / "tenants.yaml").write_text(text)
    shop.run_shell(".venv/bin/flowflare fleet config")
    assert "1  up to date" in shop.run_workflow("fleet")


def test_the_commands_of_gitlab_are_those_of_github(tmp_path: Path) -> None:
    """Only variables and the folder of the report differ, so the steps above test both."""
    for name in ("github", "gitlab"):
        assert flowflare("init", str(tmp_path / name), "--ci", name).code == 0
    texts = {
        "github": "".join(
            file.read_text() for file in (tmp_path / "github/.github/workflows").iterdir()
        ),
        "gitlab": (tmp_path / "gitlab/.gitlab-ci.yml").read_text(),
    }
    called = {
        name: {
            " ".join(re.findall(r"(?<!\S)-?-?[a-z][-a-z]*", match[1]))
            for match in re.finditer(r"\.venv/bin/flowflare ([^\n]+)", text)
        }
        for name, text in texts.items()
    }
    assert called["gitlab"] - called["github"] == {
        *("preview --stack --out plan", "up --stack --plan plan"),  # the same without a digest
        *("comment --report plan", "fleet up -e"),
    }
