"""Compare `flowflare preview` and `up` of a stack of the Pulumi CLI with plain `pulumi`.

Both commands run the example on the embedded Cloudflare, one right after the other, with a fake of
Cloudflare's plugin. Each round gives a ratio, and the median of the ratios is reported:
another program that takes the processors for a while slows both commands of a round.

Prints CPU and wall seconds as JSON. Exits with 1 if the CPU ratio of a command is above 1.2. The
limit is on CPU because wall time depends on what else runs on the machine: `pulumi` waits for its
plugins to start, and an idle second processor hides that. The wall ratio is reported beside it.

    python -m bench.cli_cost [ROUNDS]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowflare.emulator import process
from flowflare.render.node import ensure_node_packages
from tests.e2e.conftest import ROOT, Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.support.pulumi_cli import cli_environ, use_built_cli

LIMIT = 1.2
ROUNDS = 5
FLOWFLARE = str(Path(sys.executable).parent / "flowflare")
PLAIN = ["--stack", "local", "--non-interactive"]
OURS = {"preview": [FLOWFLARE, "preview"], "up": [FLOWFLARE, "up", "--yes"]}
PULUMI = {
    "preview": ["pulumi", "preview", *PLAIN],
    "up": ["pulumi", "up", "--yes", "--skip-preview", *PLAIN],
}


@dataclass(frozen=True)
class Cost:
    """What one command took, in seconds; `cpu` counts its child processes too."""

    cpu: float
    wall: float


def main() -> int:
    """Make the project, measure, and print the figures."""
    use_built_cli()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as folder, shop(Path(folder)) as (project, environ):
        run(project, environ, ["pulumi", "stack", "init", "local", "--non-interactive"])
        figures = {"first preview": compare(project, environ, "preview", rounds)}
        run(project, environ, PULUMI["up"])
        figures |= {name: compare(project, environ, name, rounds) for name in PULUMI}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    above = [name for name, figure in figures.items() if figure["cpu"]["ratio"] > LIMIT]
    if above:
        sys.stderr.write(f"CPU above {LIMIT} times plain pulumi's: {', '.join(above)}\n")
    return 1 if above else 0


@contextmanager
def shop(folder: Path) -> Iterator[tuple[Project, dict[str, str]]]:
    """Start an emulator with the example as a stack of the CLI; yields it and its environment."""
    programs = ensure_node_packages(root=ROOT)
    settings = process.Settings(folder / "cloudflare", 0, programs.node, programs.node_modules)
    cloudflare = Cloudflare(process.start(settings, lambda _: None))
    try:
        project = make_project(folder / "shop", cloudflare)
        project.edit("Pulumi.local.yaml", "flowflare:engine: embedded", "flowflare:engine: pulumi")
        yield (
            project,
            {
                **os.environ,
                **cli_environ(folder),
                "PULUMI_CONFIG_PASSPHRASE": "correct horse",
                "CLOUDFLARE_API_TOKEN": cloudflare.token,
            },
        )
    finally:
        cloudflare.close()
        process.stop(settings.data)


def compare(
    project: Project, environ: Mapping[str, str], name: str, rounds: int
) -> dict[str, dict[str, float]]:
    """Run both commands by turns, after one run of each that warms the caches.

    Args:
        project: the example.
        environ: the environment of the commands.
        name: `preview` or `up`.
        rounds: how often each command runs.

    Returns:
        For `cpu` and `wall`: the median seconds of each command and the median ratio.
    """
    pairs = [
        (run(project, environ, OURS[name]), run(project, environ, PULUMI[name]))
        for _ in range(rounds + 1)
    ][1:]
    return {
        "cpu": summarize([(ours.cpu, plain.cpu) for ours, plain in pairs]),
        "wall": summarize([(ours.wall, plain.wall) for ours, plain in pairs]),
    }


def summarize(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Take the medians of the seconds and of their ratios."""
    return {
        "flowflare": round(statistics.median(ours for ours, _ in pairs), 2),
        "pulumi": round(statistics.median(plain for _, plain in pairs), 2),
        "ratio": round(statistics.median(ours / plain for ours, plain in pairs), 3),
    }


def run(project: Project, environ: Mapping[str, str], command: Sequence[str]) -> Cost:
    """Run a command in the project's folder and measure it."""
    cpu, wall = os.times(), time.monotonic()
    done = subprocess.run(
        command, cwd=project.root, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    now = os.times()
    used = now.children_user - cpu.children_user + now.children_system - cpu.children_system
    return Cost(used, time.monotonic() - wall)


if __name__ == "__main__":
    sys.exit(main())
