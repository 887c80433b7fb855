"""Measure `flowflare diff` of 1,000 stacks that all change in the same way, on an idle machine.

It makes a repository with as many `Pulumi.<stack>.yaml`, each with its own allowed origin, and a
second commit that sets `debug` in all of them. It prints JSON, and exits with 1 if the command
takes more than 60 s or reports more than one section.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
STACKS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
LIMIT = 60.0
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
STACK = """\
config:
  flowflare:accountId: f10f1a4ef10f1a4ef10f1a4ef10f1a4e
  flowflare:tenant: t{number:04}
  flowflare:environment: prod
  flowflare:allowedOrigins: ["https://t{number:04}.example"]
"""


def commit(root: Path, more: str) -> None:
    """Commit all stack files, with an additional line."""
    for number in range(1, STACKS + 1):
        text = STACK.format(number=number) + more
        (root / f"Pulumi.t{number}-prod.yaml").write_text(text, encoding="utf-8")
    who = ["-c", "user.name=bench", "-c", "user.email=bench@fleet.example"]
    for words in (["add", "-A"], [*who, "commit", "-q", "-m", "fleet"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def main() -> int:
    """Make the repository, run the command once and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        (root / "Pulumi.yaml").write_text(PULUMI, encoding="utf-8")
        (root / "infra").mkdir()
        shutil.copy(ROOT / "infra" / "__main__.py", root / "infra")
        shutil.copytree(ROOT / "worker_src" / "orders", root / "worker_src" / "orders")
        commit(root, "")
        commit(root, "  flowflare:debug: true\n")
        command = [str(Path(sys.executable).parent / "flowflare"), "diff", "HEAD~1"]
        begun = time.monotonic()
        done = subprocess.run(
            [*command, "--format", "json"], cwd=root, check=True, capture_output=True
        )
        seconds = time.monotonic() - begun
    sections = len(json.loads(done.stdout)["sections"])
    figures = {"stacks": STACKS, "seconds": round(seconds, 1), "sections": sections, "limit": LIMIT}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0 if seconds < LIMIT and sections == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
