"""Machines of a fleet: copies of one project in folders of their own, with state in one bucket."""

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
    """A bucket as somebody sees it who looks past Flowflare."""

    wire: Wire
    name: str

    @property
    def environment(self) -> dict[str, str]:
        """What leads a command there."""
        return {**KEYS, "PULUMI_BACKEND_URL": self.wire.url(self.name)}

    @property
    def exports(self) -> str:
        """The address below which exports go."""
        return self.wire.url(f"{self.name}/exports")

    @property
    def s3(self) -> Any:
        session = boto3.session.Session("testing", "testing", region_name="us-east-1")
        host, port = self.wire.upstream
        return session.client("s3", endpoint_url=f"http://{host}:{port}")

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Everything in it, by key."""
        s3 = self.s3
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return {key: s3.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys}

    def document(self, key: str) -> dict[str, Any]:
        return dict(json.loads(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()))

    def change(self, key: str, **fields: Any) -> None:
        """Writes some fields of a JSON object anew."""
        document = {**self.document(key), **fields}
        self.s3.put_object(Bucket=self.name, Key=key, Body=json.dumps(document).encode())

    def change_all(self, prefix: str, **fields: Any) -> None:
        for key in self.objects(prefix):
            self.change(key, **fields)

    def outcomes(self) -> dict[str, str]:
        """What is recorded, by tenant."""
        found = self.objects(f".flowflare/fleet/{PROJECT}/prod/")
        return {
            key.rpartition("/")[2].removesuffix(".json"): json.loads(data)["outcome"]
            for key, data in sorted(found.items())
        }

    def asked(self) -> Counter[str]:
        """What was asked for since the requests were cleared, by kind of object."""
        kinds = Counter()
        for line in self.wire.requests:
            method, _, path = line.partition(" ")
            kinds[f"{method} {'/'.join(path.partition('?')[0].split('/')[2:4]) or 'list'}"] += 1
        return kinds


@dataclass(frozen=True)
class Machine(FleetProject):
    """A copy of the project, and what a command has in its environment there."""

    def change(self, tenants: dict[str, Any] | None = None, **defaults: Any) -> None:
        """Changes what every tenant has, or the tenants; writes the stacks' files."""
        file = self.root / "tenants.yaml"
        written = yaml.safe_load(file.read_text())
        written["defaults"] |= defaults
        written["tenants"] |= tenants or {}
        file.write_text(yaml.safe_dump(written, sort_keys=False))
        write_files(stack_files(read_fleet(self.root, {}), self.root), self.root)

    def together_with(self, other: "Machine", *words: tuple[str, ...]) -> list["Ended"]:
        """Runs a command on both at the same time; how each ended."""
        with self.started(*words[0]) as one, other.started(*words[1]) as two:
            return [Ended.of(process) for process in (one, two)]


@dataclass(frozen=True)
class Ended:
    """How a command ended in a process of its own."""

    code: int
    events: list[dict[str, Any]]
    err: str

    @classmethod
    def of(cls, process: "subprocess.Popen[str]") -> "Ended":
        out, err = process.communicate(timeout=PATIENCE)
        return cls(process.returncode, [json.loads(line) for line in out.splitlines()], err)

    def tenants(self, event: str) -> list[str]:
        return [one["tenant"] for one in self.events if one["event"] == event]


def copied(machine: FleetProject, root: Path) -> Machine:
    """The project on another machine: another folder, nothing of the first one's own state."""
    shutil.copytree(machine.root, root, symlinks=True, ignore=shutil.ignore_patterns("state"))
    environment = machine.environment if isinstance(machine, Machine) else {}
    return Machine(root, machine.account, environment)


def machine_of(fleet: FleetProject, bucket: Bucket, **environment: str) -> Machine:
    """A fleet's project as a machine with its state in a bucket."""
    return Machine(fleet.root, cast(Account, fleet.account), {**bucket.environment, **environment})


def kill_whole(process: "subprocess.Popen[str]") -> None:
    """A machine loses its power: the command and its workers are gone in the same moment."""
    os.kill(process.pid, signal.SIGSTOP)
    for task in Path(f"/proc/{process.pid}/task").glob("*/children"):
        for child in task.read_text().split():
            os.kill(int(child), signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
