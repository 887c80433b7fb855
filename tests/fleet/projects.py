"""Make fleets on the emulator: a project with `tenants.yaml` and one account for all tenants."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flowflare.config.engine import data_folder
from flowflare.config.files import read_project_file
from flowflare.emulator.api_token import read_token
from flowflare.fleet.tenants.files import stack_files
from flowflare.fleet.tenants.files import write as write_files
from flowflare.fleet.tenants.read import read_fleet
from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import make_project
from tests.e2e.embedded import Account, Cloudflare

COMMAND = str(Path(sys.executable).parent / "flowflare")
PAGE = (Path(__file__).parents[2] / "docs/how-to/fleet.md").read_text("utf-8")
#: The health check of the page's sample, which every fleet of the tests has to pass.
SAMPLE = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])
HEALTH = SAMPLE["environments"]["prod"]["health"]


@dataclass(frozen=True)
class FleetProject:
    """A project of several tenants in environment `prod`, and its commands' variables."""

    root: Path
    account: Account
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, tenants: Mapping[str, Any], **environment: Any) -> None:
        """Write tenants.yaml and the stacks' files."""
        defaults = {
            "engine": "embedded",
            "accountId": self.account.identity,
            "protect": True,
            "cloudflare:baseUrl": self.base_url,
        }
        prod = {"waves": [1, "50%", "100%"], "health": HEALTH, **environment}
        written = {
            "defaults": defaults,
            "environments": {"prod": prod},
            "tenants": dict(tenants),
        }
        (self.root / "tenants.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
        # This is what `flowflare fleet config` does.
        write_files(stack_files(read_fleet(read_project_file(self.root), {})), self.root)

    @property
    def token(self) -> str:
        """The token of the emulator that the project shares."""
        token = read_token(data_folder(self.root))
        assert token is not None
        return token

    @property
    def base_url(self) -> str:
        return (self.root / "base-url").read_text()

    @property
    def tenants(self) -> dict[str, Any]:
        """The tenants in tenants.yaml."""
        return dict(yaml.safe_load((self.root / "tenants.yaml").read_text())["tenants"])

    def run(self, *words: str) -> CliResult:
        """Run a fleet command in this process, in environment `prod`."""
        return flowflare("fleet", *words, "-e", "prod", "-C", str(self.root))

    def events(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """Run a fleet command in this process with --json, and return its events."""
        done = self.run(*words, "--json")
        assert done.code == code, f"{done.out}\n{done.err}"
        return [json.loads(line) for line in done.out.splitlines()]

    def run_command(self, *words: str) -> str:
        """Run a command in its own process, and return its output."""
        done = subprocess.run(
            [COMMAND, *words], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def start(self, *words: str):
        """Start a command whose events can be read one by one, and kill it at the end."""
        command = [COMMAND, "fleet", *words, "-e", "prod", "--json"]
        with subprocess.Popen(
            command,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | self.environment,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def kill_when(self, reached: Callable[[dict[str, Any]], bool], *words: str) -> list[dict]:
        """Start a command, kill it with SIGKILL at an event, and return the events until then."""
        seen = []
        with self.start(*words) as process:
            assert process.stdout is not None
            for line in process.stdout:
                seen.append(json.loads(line))
                if reached(seen[-1]):
                    os.kill(process.pid, signal.SIGKILL)
                    break
            else:
                raise AssertionError(f"it ended before the event: {process.communicate()[1]}")
        return seen

    def records(self) -> dict[str, dict[str, Any]]:
        """Read the records by tenant."""
        folder = self.root / ".flowflare/state/.flowflare/fleet/flowflare/prod"
        return {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}

    def outcomes(self) -> dict[str, str]:
        return {name: record["outcome"] for name, record in sorted(self.records().items())}


def make_fleet(root: Path, cloudflare: Cloudflare, count: int, **environment: Any) -> FleetProject:
    """Make a fleet with so many tenants, `t01`, `t02` and so on, without deploying them."""
    project = make_project(root, cloudflare)
    (root / "Pulumi.local.yaml").unlink()
    (root / "base-url").write_text(cloudflare.base_url)
    fleet = FleetProject(root, project.account)
    fleet.write({f"t{number:02}": {} for number in range(1, count + 1)}, **environment)
    return fleet
