"""Measure the commands over a fleet of 1,000 tenants on the embedded Cloudflare.

One tenant is really deployed; the others get copies of its state under their own names, so that
reading, planning and comparing are measured, but not uploads. It prints JSON: seconds, CPU seconds
of all processes, and memory. It exits with 1 if the preview of all changed tenants, or an `up` with
nothing to do, takes more than 60 s.

    python bench/fleet.py [TENANTS] [WORKERS]
"""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from flowflare.fleet.pending import find_pending
from flowflare.fleet.records import TenantRecord, TenantRecords
from flowflare.fleet.tenants.model import stack_of
from flowflare.state.location import open_project_store

ROOT = Path(__file__).parent.parent
FLOWFLARE = str(Path(sys.executable).parent / "flowflare")
TENANTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
WORKERS = sys.argv[2:3]
LIMIT = 60.0
ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
PULUMI = """\
name: fleet
runtime: python
main: infra/
config:
  flowflare:clients:
    value:
      orders:
        source: worker_src/orders/src/index.js
        workflows: {order-processing: {className: OrderWorkflow}}
"""


def tenant(number: int) -> str:
    """Return a tenant's name."""
    return f"t{number:05}"


def make(root: Path, *, debug: bool, port: int) -> None:
    """Write the project and its tenants, each with its own origin."""
    defaults = {
        "engine": "embedded",
        "accountId": ACCOUNT,
        "debug": debug,
        "cloudflare:baseUrl": f"http://127.0.0.1:{port}/client/v4",
    }
    fleet = {
        "defaults": defaults,
        "limits": {"workers": 10**6, "databases": 10**6, "cronTriggers": 10**6},
        "environments": {"prod": {"waves": ["100%"]}},
        "tenants": {
            name: {"config": {"allowedOrigins": [f"https://{name}.example"]}}
            for name in map(tenant, range(1, TENANTS + 1))
        },
    }
    (root / "tenants.yaml").write_text(yaml.safe_dump(fleet, sort_keys=False), "utf-8")
    if (root / "Pulumi.yaml").exists():
        return
    (root / "Pulumi.yaml").write_text(PULUMI, "utf-8")
    (root / "infra").mkdir()
    shutil.copy(ROOT / "infra" / "__main__.py", root / "infra")
    shutil.copytree(ROOT / "worker_src" / "orders", root / "worker_src" / "orders")
    (root / "node_modules").symlink_to(ROOT / "node_modules")


def measure_command(root: Path, *words: str, figures: dict[str, Any]) -> str:
    """Run a command and return its output; its figures are stored under its words."""
    done = threading.Event()
    peak = [0]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with subprocess.Popen([FLOWFLARE, *words], cwd=root, stdout=subprocess.PIPE) as process:
        watch = threading.Thread(target=_watch, args=(process.pid, peak, done))
        watch.start()
        said, _ = process.communicate()
    done.set()
    watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures[" ".join(words)] = {
        "seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(cpu, 1),
        "memory_mb": round(peak[0] / 1024),
    }
    if process.returncode:
        sys.stderr.write(said.decode())
        raise SystemExit(f"{words} ended with {process.returncode}")
    return said.decode()


def _watch(pid: int, peak: list[int], done: threading.Event) -> None:
    """Sum up the memory of a process and all its descendants, every 0.2 s."""
    while not done.wait(0.2):
        family, total = [pid], 0
        for member in family:
            try:
                text = Path(f"/proc/{member}/status").read_text()
                total += int(text.partition("VmRSS:")[2].split()[0])
                for task in Path(f"/proc/{member}/task").glob("*/children"):
                    family += map(int, task.read_text().split())
            except (OSError, IndexError, ValueError):
                continue
        peak[0] = max(peak[0], total)


def copy_states(root: Path) -> None:
    """Give every tenant the first tenant's state under its own name, and a record."""
    folder = root / ".flowflare/state/.pulumi/stacks/fleet"
    first, text = tenant(1), (folder / f"{stack_of(tenant(1), 'prod')}.json").read_text("utf-8")
    stacks = [stack_of(tenant(number), "prod") for number in range(1, TENANTS + 1)]
    for number in range(2, TENANTS + 1):
        file = folder / f"{stack_of(tenant(number), 'prod')}.json"
        file.write_text(text.replace(first, tenant(number)), "utf-8")
    records = TenantRecords(open_project_store(root, os.environ), "fleet", "prod")
    known = records.read_all()[stacks[0]]
    for stack, found in find_pending(root, stacks, {}, os.environ).fingerprints.items():
        fields = known.model_dump() | {"stack": stack, "fingerprint": found, "state": ""}
        records.write(TenantRecord.model_validate(fields))


def main() -> int:
    """Make the fleet, run the commands and print the figures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    figures: dict[str, Any] = {}
    workers = ["--workers", *WORKERS] if WORKERS else []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        make(root, debug=False, port=port)
        try:
            measure_command(root, "fleet", "config", figures=figures)
            preview = ["fleet", "preview", "-e", "prod", *workers]
            measure_command(root, *preview, figures=figures)
            figures["preview of new tenants"] = figures.pop(" ".join(preview))
            up = ["fleet", "up", "-e", "prod"]
            measure_command(root, *up, "--tenants", tenant(1), figures=figures)
            copy_states(root)
            measure_command(root, *up, figures=figures)
            nothing = figures["up with nothing to do"] = figures.pop(" ".join(up))
            measure_command(root, "fleet", "status", "-e", "prod", figures=figures)
            make(root, debug=True, port=port)
            subprocess.run(
                [FLOWFLARE, "fleet", "config"], cwd=root, check=True, capture_output=True
            )
            shown = json.loads(measure_command(root, *preview, "--json", figures=figures))
            changed = figures["preview of changed tenants"] = figures.pop(
                " ".join([*preview, "--json"])
            )
        finally:
            subprocess.run(
                [FLOWFLARE, "emulator", "stop"], cwd=root, check=False, capture_output=True
            )
    sections = len(shown["report"]["sections"])
    figures |= {"tenants": TENANTS, "sections": sections, "limit": LIMIT}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    late = max(nothing["seconds"], changed["seconds"]) > LIMIT
    return 1 if late or sections != 1 else 0


if __name__ == "__main__":
    sys.exit(main())
