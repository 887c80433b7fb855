"""The substitute for pulumi_cloudflare executes only the modules in use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent


def python(*arguments: str) -> str:
    """Run Python without measuring coverage, which would triple the package's cost."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "infra")])
    environment = {name: value for name, value in os.environ.items() if "COV" not in name}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment | {"PYTHONPATH": path},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_only_the_modules_in_use_are_executed() -> None:
    program = """
import sys
from flowflare.kinds import cloudflare
import pulumi_cloudflare
print(pulumi_cloudflare.D1Database is cloudflare.D1Database)
print(len([name for name in sys.modules if name.startswith("pulumi_cloudflare")]))
names = vars(pulumi_cloudflare.outputs).values()
print(sum(getattr(item, "__module__", "") == "pulumi_cloudflare.outputs" for item in names))
"""
    same, modules, outputs = python("-c", program).splitlines()
    assert same == "True"
    assert int(modules) < 12
    assert int(outputs) == 0


@pytest.mark.parametrize("order", [1, -1], ids=["ours first", "theirs first"])
@pytest.mark.long
def test_a_program_can_use_other_resources_too(order: int) -> None:
    modules = ["flowflare.kinds.cloudflare", "pulumi_cloudflare"][::order]
    printed = python(str(HERE / "programs" / "other_resources.py"), *modules)
    assert json.loads(printed) == {
        "declared": [
            ["ours", "cloudflare:index/d1Database:D1Database"],
            ["same", "cloudflare:index/workflow:Workflow"],
            ["theirs", "cloudflare:index/r2Bucket:R2Bucket"],
        ],
        "same classes": True,
        "config": "pulumi_cloudflare.config",
        "outputs": "pulumi_cloudflare.outputs",
        "names": True,
    }


def test_loading_the_providers_does_not_load_the_package() -> None:
    program = "import sys, flowflare.resources.providers; print('pulumi_cloudflare' in sys.modules)"
    assert python("-c", program).strip() == "False"
