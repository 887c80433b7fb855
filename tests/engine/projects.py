"""Create small Pulumi projects for the engine tests: a folder, its programs, a stack to run."""

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowflare.api import Connector, Pace
from flowflare.engine import Event, Plan, Update
from flowflare.engine.embedded.stack import EmbeddedStack
from tests.engine.integrity import verify
from tests.support.embedded import open_embedded

PASSPHRASE = "correct horse"
# The salt of PASSPHRASE. All tests share it, so that a test process derives the key once.
SALT = "v1:AnwsOFAODHA=:v1:QE5hRlR7ZbNE6aMM:wb1Wp2YZ5zw54f1/ZbQszR/UJjrEKA=="
# Retry without waiting.
HURRIED = Pace(sleep=lambda _: None)
CLOUD = '''
"""Register resources directly: importing pulumi_cloudflare takes too long for every test."""
import pulumi

def _kind(token, *computed):
    class Kind(pulumi.CustomResource):
        def __init__(self, name_, opts=None, /, **props):
            super().__init__(token, name_, {**dict.fromkeys(computed), **props}, opts)
    return Kind

D1Database = _kind("cloudflare:index/d1Database:D1Database", "uuid")
WorkersScript = _kind("cloudflare:index/workersScript:WorkersScript", "etag")
Workflow = _kind("cloudflare:index/workflow:Workflow", "versionId")
Subdomain = _kind("cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain")
Cron = _kind("cloudflare:index/workersCronTrigger:WorkersCronTrigger")
Route = _kind("cloudflare:index/workersRoute:WorkersRoute")
Domain = _kind("cloudflare:index/workersCustomDomain:WorkersCustomDomain", "certId", "zoneName")
'''


@dataclass
class Sample:
    """A project in a folder, with methods that replace its program and run it."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @property
    def state_file(self) -> Path:
        return self.root / ".flowflare" / "state" / ".pulumi" / "stacks" / "p" / "dev.json"

    def open(self) -> EmbeddedStack:
        return open_embedded(self.root, "dev", environ=self.environ, api=Connector(HURRIED))

    def write_program(self, text: str) -> "Sample":
        (self.root / "infra" / "__main__.py").write_text(textwrap.dedent(text), "utf-8")
        return self

    def write_module(self, name: str, text: str) -> "Sample":
        (self.root / "infra" / f"{name}.py").write_text(textwrap.dedent(text), "utf-8")
        return self

    def preview(self) -> Plan:
        before = self.state_file.read_bytes() if self.state_file.exists() else None
        plan = self.open().preview(self.events.append)
        after = self.state_file.read_bytes() if self.state_file.exists() else None
        assert before == after, "a preview writes nothing"
        return plan

    def up(self) -> Update:
        try:
            return self.open().up(self.events.append)
        finally:
            if self.state_file.exists():
                verify(self.state_file)

    def destroy(self) -> Update:
        try:
            return self.open().destroy(self.events.append)
        finally:
            verify(self.state_file)

    def read_latest(self) -> dict[str, Any]:
        state = json.loads(self.state_file.read_text("utf-8"))
        latest: dict[str, Any] = state["checkpoint"]["latest"]
        return latest

    def read_records(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self.read_latest().get("resources", [])
        return records

    def find_record(self, name: str) -> dict[str, Any]:
        records = [each for each in self.read_records() if each["urn"].endswith(f"::{name}")]
        assert len(records) == 1, f"{len(records)} records named {name}"
        return records[0]


@dataclass(frozen=True)
class Things:
    """The things that the provider of `things.py` created."""

    folder: Path

    def list_ids(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir() if file.name != "log")

    def take_log(self) -> list[str]:
        """Return the calls of the provider since the last call of this method."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


def make_sample(
    root: Path, program: str = "", config: Mapping[str, object] | None = None
) -> Sample:
    """Write a project `p` with a stack `dev` to a folder."""
    (root / "infra").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: p\nruntime: python\nmain: infra\n", "utf-8")
    stack = {"encryptionsalt": SALT, "config": dict(config or {})}
    (root / "Pulumi.dev.yaml").write_text(json.dumps(stack), "utf-8")
    sample = Sample(root, {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE})
    sample.write_module("cloud", CLOUD)
    return sample.write_program(program)


def list_ops(result: Plan | Update) -> dict[str, str]:
    """Return the operation on each resource by name, without the stack itself."""
    return {step.name: step.op for step in result.steps if step.type != "pulumi:pulumi:Stack"}


def list_changes(result: Plan | Update) -> dict[str, str]:
    """Return the operations other than `same`, by resource name."""
    return {name: op for name, op in list_ops(result).items() if op != "same"}
