"""Measures `flowflare preview` and `up` of a stack of the Pulumi CLI against plain `pulumi`.

Both run the example on the embedded Cloudflare, with the plugin that stands in for Cloudflare's, by
turns. Prints CPU and wall seconds as JSON. Exit code 1 if the CPU of one of ours is more than 1.2
times plain `pulumi`'s.

    python -m bench.cli_cost [ROUNDS]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from flowflare.emulator import process
from flowflare.render.node import ensure_node_packages
from tests.e2e.conftest import ROOT, Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.support.pulumi_cli import cli_environ, use_built_cli

LIMIT = 1.2
FLOWFLARE = str(Path(sys.executable).parent / "flowflare")
PLAIN = ["--stack", "local", "--non-interactive"]
COMMANDS = {
    "preview": ([FLOWFLARE, "preview"], ["pulumi", "preview", *PLAIN]),
    "up": ([FLOWFLARE, "up"], ["pulumi", "up", "--yes", "--skip-preview", *PLAIN]),
}


def seconds(project: Project, environ: Mapping[str, str], command: list[str]) -> list[float]:
    """Run a command; CPU seconds of it and its children, and wall seconds."""
    cpu, wall = os.times(), time.monotonic()
    subprocess.run(command, cwd=project.root, env=environ, check=True, stdout=subprocess.DEVNULL)
    now = os.times()
    used = now.children_user - cpu.children_user + now.children_system - cpu.children_system
    return [used, time.monotonic() - wall]


def measure(project: Project, environ: Mapping[str, str], rounds: int) -> dict[str, object]:
    """Run each pair of commands by turns; the medians and their ratios."""
    figures: dict[str, object] = {}
    for what, (ours, plain) in COMMANDS.items():
        pairs = [
            (seconds(project, environ, ours), seconds(project, environ, plain))
            for _ in range(rounds)
        ]
        for index, kind in enumerate(("cpu", "wall")):
            of_ours = statistics.median(first[index] for first, _ in pairs)
            of_plain = statistics.median(second[index] for _, second in pairs)
            figures[f"{what}_{kind}"] = {
                "flowflare": round(of_ours, 2),
                "pulumi": round(of_plain, 2),
                "ratio": round(of_ours / of_plain, 2),
            }
    return figures


def main() -> int:
    """Make the project, measure, and print the figures."""
    use_built_cli()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        programs = ensure_node_packages(root=ROOT)
        settings = process.Settings(
            Path(folder) / "cloudflare", 0, programs.node, programs.node_modules
        )
        cloudflare = Cloudflare(process.start(settings, lambda _: None))
        try:
            project = make_project(Path(folder) / "shop", cloudflare)
            project.edit(
                "Pulumi.local.yaml", "flowflare:engine: embedded", "flowflare:engine: pulumi"
            )
            environ = {
                **os.environ,
                **cli_environ(Path(folder)),
                "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            }
            init = ["pulumi", "stack", "init", "local", "--non-interactive"]
            subprocess.run(init, cwd=project.root, env=environ, check=True, capture_output=True)
            new = seconds(project, environ, COMMANDS["preview"][0])
            new_plain = seconds(project, environ, COMMANDS["preview"][1])
            seconds(project, environ, COMMANDS["up"][1])
            figures = measure(project, environ, rounds)
        finally:
            cloudflare.close()
            process.stop(settings.data)
    figures["first_preview_cpu"] = {
        "flowflare": round(new[0], 2),
        "pulumi": round(new_plain[0], 2),
        "ratio": round(new[0] / new_plain[0], 2),
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    ratios = [one["ratio"] for one in figures.values() if isinstance(one, dict)]
    return 0 if max(ratios) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
