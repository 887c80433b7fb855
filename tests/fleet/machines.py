"""Machines of a fleet: copies of one project in separate folders, with state in one bucket."""

import json
import os
import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import boto3
import yaml

from flowflare.config.files import read_project_file
from flowflare.fleet.tenants.files import stack_files
from flowflare.fleet.tenants.files import write as write_files
from flowflare.fleet.tenants.read import read_fleet
from tests.e2e.embedded import Account
from tests.fleet.projects import FleetProject
from tests.state.wire import KEYS, Wire
from tests.support.waiting import PATIENCE

PROJECT = "flowflare"


@dataclass(frozen=True)
class Bucket:
    """A bucket, read and changed without Flowflare."""

    wire: Wire
    name: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make a command use the bucket."""
        return {**KEYS, "PULUMI_BACKEND_URL": self.wire.url(self.name)}

    @property
    def exports(self) -> str:
        """The URL for exports."""
        return self.wire.url(f"{self.name}/exports")

    @property
    def s3(self) -> Any:
        session = boto3.session.Session("testing", "testing", region_name="us-east-1")
        host, port = self.wire.upstream
        return session.client("s3", endpoint_url=f"http://{host}:{port}")

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Read all objects, by key."""
        s3 = self.s3
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return {key: s3.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys}

    def document(self, key: str) -> dict[str, Any]:
        return dict(json.loads(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()))

    def change(self, key: str, **fields: Any) -> None:
        """Change some fields of a JSON object."""
        document = {**self.document(key), **fields}
        self.s3.put_object(Bucket=self.name, Key=key, Body=json.dumps(document).encode())

    def change_all(self, prefix: str, **fields: Any) -> None:
        for key in self.objects(prefix):
            self.change(key, **fields)

    def outcomes(self) -> dict[str, str]:
        """Return the recorded outcomes by tenant."""
        found = self.objects(f".flowflare/fleet/{PROJECT}/prod/")
        return {
            key.rpartition("/")[2].removesuffix(".json"): json.loads(data)["outcome"]
            for key, data in sorted(found.items())
        }

    def count_requests(self) -> Counter[str]:
        """Count the requests since the list was cleared, by kind of object."""
        kinds = Counter()
        for line in self.wire.requests:
            method, _, path = line.partition(" ")
            kinds[f"{method} {'/'.join(path.partition('?')[0].split('/')[2:4]) or 'list'}"] += 1
        return kinds


@dataclass(frozen=True)
class Machine(FleetProject):
    """A copy of the project, and the environment variables of its commands."""

    def change(self, tenants: dict[str, Any] | None = None, **defaults: Any) -> None:
        """Change the defaults or the tenants, and write the stacks' files."""
        file = self.root / "tenants.yaml"
        written = yaml.safe_load(file.read_text())
        written["defaults"] |= defaults
        written["tenants"] |= tenants or {}
        file.write_text(yaml.safe_dump(written, sort_keys=False))
        write_files(stack_files(read_fleet(read_project_file(self.root), {})), self.root)

    def run_with(self, other: "Machine", *words: tuple[str, ...]) -> list["CommandResult"]:
        """Run a command on both machines at the same time, and return both results."""
        with self.start(*words[0]) as first, other.start(*words[1]) as second:
            return [CommandResult.of(process) for process in (first, second)]


@dataclass(frozen=True)
class CommandResult:
    """The result of a command in its own process."""

    code: int
    events: list[dict[str, Any]]
    err: str

    @classmethod
    def of(cls, process: "subprocess.Popen[str]") -> "CommandResult":
        out, err = process.communicate(timeout=PATIENCE)
        return cls(process.returncode, [json.loads(line) for line in out.splitlines()], err)

    def tenants(self, event: str) -> list[str]:
        return [found["tenant"] for found in self.events if found["event"] == event]


def copy_machine(machine: FleetProject, root: Path) -> Machine:
    """Copy the project to another machine: another folder, without the local state."""
    shutil.copytree(machine.root, root, symlinks=True, ignore=shutil.ignore_patterns("state"))
    environment = machine.environment if isinstance(machine, Machine) else {}
    return Machine(root, machine.account, environment)


def machine_of(fleet: FleetProject, bucket: Bucket, **environment: str) -> Machine:
    """Return a fleet's project as a machine with its state in a bucket."""
    return Machine(fleet.root, cast(Account, fleet.account), {**bucket.environment, **environment})


def kill_whole(process: "subprocess.Popen[str]") -> None:
    """Kill a command and its workers at the same moment, as a power failure does."""
    os.kill(process.pid, signal.SIGSTOP)
    for task in Path(f"/proc/{process.pid}/task").glob("*/children"):
        for child in task.read_text().split():
            os.kill(int(child), signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
