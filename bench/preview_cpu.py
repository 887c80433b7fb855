"""Measure the CPU time of `flowflare preview` against that of `import pulumi_cloudflare`.

Both run as whole processes, one after the other, several times. The ratio of their medians is
reported, because machines differ. It prints JSON, and exits with 1 if the ratio is not under 0.65.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMIT = 0.65
ROUNDS = 3


def cpu_seconds(command: list[str]) -> float:
    """Return the CPU seconds, user and system, of a command and all its children."""
    before = os.times()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def main() -> int:
    """Run both commands by turns, and print the figures."""
    preview = [str(Path(sys.executable).parent / "flowflare"), "preview", "--json"]
    imported = [sys.executable, "-c", "import pulumi_cloudflare"]
    for command in (preview, imported):  # the first run of each writes its bytecode
        cpu_seconds(command)
    rounds = [(cpu_seconds(preview), cpu_seconds(imported)) for _ in range(ROUNDS)]
    of_preview = statistics.median(first for first, _ in rounds)
    of_import = statistics.median(second for _, second in rounds)
    figures = {
        "preview_cpu_seconds": round(of_preview, 2),
        "import_cpu_seconds": round(of_import, 2),
        "ratio": round(of_preview / of_import, 3),
        "limit": LIMIT,
        "rounds": ROUNDS,
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0 if figures["ratio"] < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
