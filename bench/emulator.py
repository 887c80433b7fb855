"""Compare the emulator's speed and memory with that of another commit, side by side.

Both emulators run at the same time and answer the same 1,000 calls of mixed kinds, in rounds that
take turns in going first. Each round gives a ratio (this checkout / base) and the median of the
ratios is reported: another program that takes the processors slows both emulators of a round.

Memory is the proportional set size of all processes of an emulator. It is measured before and after
a bounded number of Workers is deployed that are never called, and extrapolated to 1,000 of them.

    python -m bench.emulator --base COMMIT [--workers N]

Prints JSON. Both emulators use this checkout's Python and npm packages.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flowflare.render.node import ensure_node_packages

ROOT = Path(__file__).parent.parent
ROUNDS = 10
EACH = 10
"""Calls of a kind in a round: 10 rounds of 10 kinds make 1,000 calls."""
FORMER_TOKEN = "flowflare-embedded-cloudflare-no-secret-0"
SOURCE = "export default { fetch: () => new Response('hello') };"


@dataclass(frozen=True)
class Emulator:
    """A running emulator, with an account of its own."""

    pid: int
    client: httpx.Client
    database: str

    @classmethod
    def connect(cls, started: dict[str, Any], data: Path) -> "Emulator":
        """Create the account's database and Worker."""
        token = data / "token"
        bearer = token.read_text().strip() if token.exists() else FORMER_TOKEN
        root = f"http://127.0.0.1:{started['port']}"
        headers = {"Authorization": f"Bearer {bearer}"}
        httpx.put(f"{root}/emulator/rate-limit", json={"calls": None}, headers=headers)
        account = secrets.token_hex(16)
        url = f"{root}/client/v4/accounts/{account}"
        client = httpx.Client(base_url=url, headers=headers, timeout=120)
        made = client.post("/d1/database", json={"name": "db"}).json()["result"]
        emulator = cls(int(started["pid"]), client, made["uuid"])
        emulator.query("CREATE TABLE t (a)")
        emulator.upload("app")
        return emulator

    def query(self, sql: str) -> httpx.Response:
        """Run a statement."""
        return self.client.post(f"/d1/database/{self.database}/query", json={"sql": sql})

    def upload(self, name: str) -> httpx.Response:
        """Upload a Worker whose code no other upload has."""
        metadata = {"main_module": "w.js", "compatibility_date": "2026-11-01"}
        source = f"{SOURCE} // {secrets.token_hex(8)}"
        files = {
            "w.js": ("w.js", source, "application/javascript+module"),
            "metadata": (None, json.dumps(metadata), "application/json"),
        }
        return self.client.put(f"/workers/scripts/{name}", files=files)

    def memory(self) -> int:
        """Return the proportional set size of all its processes, in bytes."""
        return sum(read_memory(pid) for pid in list_processes(self.pid))


def _name(key: str) -> dict[str, str]:
    return {key: secrets.token_hex(8)}


_SCRIPT = "/workers/scripts/app"
KINDS: dict[str, Callable[[Emulator], httpx.Response]] = {
    "d1 create": lambda emulator: emulator.client.post("/d1/database", json=_name("name")),
    "d1 list": lambda emulator: emulator.client.get("/d1/database?per_page=10"),
    "d1 insert": lambda emulator: emulator.query("INSERT INTO t VALUES (1)"),
    "d1 select": lambda emulator: emulator.query("SELECT count(*) FROM t"),
    "kv create": lambda emulator: emulator.client.post(
        "/storage/kv/namespaces", json=_name("title")
    ),
    "script upload": lambda emulator: emulator.upload("app"),
    "script settings": lambda emulator: emulator.client.get(f"{_SCRIPT}/settings"),
    "script list": lambda emulator: emulator.client.get("/workers/scripts"),
    "secret put": lambda emulator: emulator.client.put(
        f"{_SCRIPT}/secrets", json={"name": "S", "type": "secret_text", **_name("text")}
    ),
    "versions": lambda emulator: emulator.client.get(f"{_SCRIPT}/versions"),
}


def list_processes(pid: int) -> list[int]:
    """List a process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in list_processes(int(child)))]


def read_memory(pid: int) -> int:
    """Return a process's proportional set size in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


@contextmanager
def run_emulator(checkout: Path, data: Path) -> Iterator[Emulator]:
    """Run the emulator of a checkout."""
    programs = ensure_node_packages(root=ROOT)
    options = {"--data": data, "--port": 0, "--node": programs.node}
    options["--node-modules"] = programs.node_modules
    words = [str(word) for pair in options.items() for word in pair]
    with subprocess.Popen(
        [sys.executable, "-m", "flowflare.emulator", *words],
        env={**os.environ, "PYTHONPATH": str(checkout / "infra")},
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Emulator.connect(json.loads(process.stdout.readline()), data)
        finally:
            process.terminate()


@contextmanager
def check_out(commit: str, folder: Path) -> Iterator[Path]:
    """Check out a commit beside this one."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--detach", "--quiet", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def measure(emulator: Emulator, kind: str) -> float:
    """Return the seconds of a round's calls of a kind, all of which must succeed."""
    began = time.perf_counter()
    answers = [KINDS[kind](emulator) for _ in range(EACH)]
    took = time.perf_counter() - began
    for answer in answers:
        answer.raise_for_status()
    return took


def compare_speed(ours: Emulator, base: Emulator) -> dict[str, Any]:
    """Return the median ratio and our median milliseconds of a call, for each kind and in all."""
    rounds: list[dict[str, tuple[float, float]]] = []
    for number in range(ROUNDS):
        pair = (ours, base) if number % 2 else (base, ours)
        took: dict[str, tuple[float, float]] = {}
        for kind in KINDS:
            first, second = (measure(emulator, kind) for emulator in pair)
            took[kind] = (first, second) if number % 2 else (second, first)
        rounds.append(took)
    table: dict[str, Any] = {
        kind: {
            "ratio": round(statistics.median(took[kind][0] / took[kind][1] for took in rounds), 3),
            "ms": round(statistics.median(took[kind][0] for took in rounds) / EACH * 1000, 2),
        }
        for kind in KINDS
    }
    sums = [[sum(took[kind][side] for kind in KINDS) for side in (0, 1)] for took in rounds]
    ratio = statistics.median(mine / theirs for mine, theirs in sums)
    seconds = round(sum(mine for mine, _ in sums), 2)
    return {"all": {"ratio": round(ratio, 3), "seconds": seconds}, **table}


def measure_workers(emulator: Emulator, count: int) -> dict[str, Any]:
    """Return the memory before and after Workers are deployed, extrapolated to 1,000 of them."""
    before = emulator.memory()
    for number in range(count):
        emulator.upload(f"idle-{number}").raise_for_status()
    grown = emulator.memory() - before
    return {
        "before_mb": round(before / 1e6, 1),
        "deployed": count,
        "grown_mb": round(grown / 1e6, 1),
        "extrapolated_1000_mb": round((before + grown * 1000 / count) / 1e6, 1),
    }


def main() -> None:
    """Measure both emulators and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.emulator", description=__doc__)
    parser.add_argument("--base", required=True, help="the commit to compare with")
    parser.add_argument("--workers", type=int, default=50, help="how many Workers are deployed")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        checkout = stack.enter_context(check_out(options.base, folder / "checkout"))
        ours = stack.enter_context(run_emulator(ROOT, folder / "ours"))
        base = stack.enter_context(run_emulator(checkout, folder / "base"))
        figures = {"base": options.base, "speed": compare_speed(ours, base)}
        memory = [measure_workers(emulator, options.workers) for emulator in (ours, base)]
        extrapolated = [figure["extrapolated_1000_mb"] for figure in memory]
        figures["memory"] = {
            "ratio": round(extrapolated[0] / extrapolated[1], 3),
            "ours": memory[0],
            "base": memory[1],
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
