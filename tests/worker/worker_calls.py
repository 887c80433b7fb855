"""The calls with which tests use the Workers: a Worker's HTTP API, the probe and the harness."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.waiting import wait_until

KEY = "ff_test_key"


@dataclass(frozen=True)
class Workers:
    """The running Workers, and the line on which the harness reads commands."""

    urls: dict[str, str]
    process: subprocess.Popen[str]

    def evict(self, name: str) -> None:
        """Hibernate the tracker: its memory is lost, its sockets stay."""
        assert self._command(evict=name) == {}

    def schedule(self, worker: str) -> None:
        """Do what a cron trigger does."""
        assert self._command(schedule=worker) == {"outcome": "ok"}

    def _command(self, **command: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        # A Worker's log lines are printed here as well.
        while not (line := self.process.stdout.readline()).startswith("{"):
            assert line, "the harness ended; its stderr says why"
        return json.loads(line)


@dataclass(frozen=True)
class Api:
    """A Worker's HTTP API, called with the key unless other headers are given."""

    client: httpx.Client

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers={"X-API-Key": KEY} | headers)

    def ok(self, path: str, body: object) -> dict[str, Any]:
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def update(self, kind: str, /, **fields: object) -> Any:
        return self.ok("/api/workflows/update", {"type": kind, kind: fields})["result"]

    def run(self, run_id: str) -> dict[str, Any]:
        return self.ok("/service/get-workflow", {"workflowId": run_id})["workflow"]

    def step_in(self, run_id: str, status: str) -> dict[str, Any]:
        """Return the only step of a run, once it has the status."""
        [step] = wait_until(
            lambda: self.run(run_id)["steps"],
            lambda steps: [step["status"] for step in steps] == [status],
        )
        return step

    def start(self, workflow_type: str, /, **fields: object) -> dict[str, Any]:
        return self.ok("/service/start-workflow", {"workflowType": workflow_type} | fields)


@dataclass(frozen=True)
class Probe:
    """Call the library inside workerd, and read the database of the service."""

    client: httpx.Client

    def call(self, name: str, /, **arguments: object) -> Any:
        answer = self.client.post(f"/{name}", json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_until_ended(self, binding: str, run: str) -> dict[str, Any]:
        """Return an instance of a Workflow, once it has ended."""
        return wait_until(
            lambda: self.call("instance", binding=binding, id=run),
            lambda instance: instance["status"] in {"complete", "errored"},
        )

    def sql(self, sql: str, *values: object, database: str = "DB") -> list[dict[str, Any]]:
        return self.call("sql", sql=sql, values=values, database=database)["rows"]
