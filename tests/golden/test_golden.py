"""Small projects with the whole of what they declare, or their exact error, kept beside them.

A new behaviour is a new folder in `cases/`. `make golden` writes what is expected; the diff is what
a reviewer reads.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest

from flowflare.config.files import read_project
from flowflare.config.load import load_stack
from flowflare.errors import FlowflareError
from flowflare.render.wrangler import render_wrangler_files
from tests.support.own_stores import write_golden_case
from tests.unit.resources.recording_monitor import Declared, record

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CASES = sorted((HERE / "cases").iterdir())
STACK = "dev"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.name == "client_own_stores":
        matches(case / "Pulumi.dev.yaml", write_golden_case())
    project = tmp_path / "project"
    shutil.copytree(case, project, ignore=shutil.ignore_patterns("expected*"))
    monkeypatch.chdir(project)
    if case.name.startswith("error_"):
        matches(case / "expected_error.txt", error_of(project) + "\n")
        return
    for name, text in declared_by(project).items():
        matches(case / "expected" / name, text)


def test_the_example_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project of this repository: its URNs are a public contract."""
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "worker_src" / "orders", tmp_path / "worker_src" / "orders")
    settings = (ROOT / "Pulumi.local.yaml").read_text()
    (tmp_path / "Pulumi.dev.yaml").write_text(settings.replace("protect: false", "protect: true"))
    monkeypatch.chdir(tmp_path)
    files = declared_by(tmp_path)
    # The client's bundle holds the runtime library, whose changes are no business of this test.
    del files["dev-flowflare-orders.js"]
    for name, text in files.items():
        matches(HERE / "example" / name, text)


def matches(file: Path, text: str) -> None:
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def error_of(project: Path) -> str:
    with pytest.raises((FlowflareError, pulumi.RunError)) as caught:
        declared_by(project)
    return str(caught.value).replace(str(project), "<project>")


def declared_by(project: Path) -> dict[str, str]:
    """What a project's program declares, as files: the plan, the code, wrangler's files."""
    read = read_project(project, STACK)
    config = {key: value.text for key, value in read.values.items()}
    monitor = record(ROOT / "infra" / "__main__.py", config=config, project=read.name)
    declared = sorted(monitor.declared, key=lambda one: one.urn)
    files = {
        "urns.txt": "".join(f"{one.urn}\n" for one in declared),
        "plan.json": as_json([shown(one) for one in declared if one.custom]),
        "outputs.json": as_json(monitor.outputs),
    }
    spec = load_stack(config, project=read.name, stack=STACK)
    files |= {f"{name}.wrangler.jsonc": text for name, text in render_wrangler_files(spec).items()}
    for one in declared:
        if one.type.endswith(":WorkersScript"):
            name = one.inputs["scriptName"]
            is_service = name == spec.service.script_name
            content = one.inputs["content"]
            files[f"{name}.js"] = stack_part(content) if is_service else content
    return files


def shown(one: Declared) -> dict[str, Any]:
    inputs = dict(one.inputs)
    if "content" in inputs:
        inputs["content"] = "<the module>"
    for migration in inputs.get("migrations", ()):
        migration["sql"] = "<the file>"
    return {
        "name": one.name,
        "type": one.type,
        "protect": one.protect,
        "depends_on": [urn.rpartition("::")[2] for urn in one.dependencies],
        "secret_outputs": list(one.secret_outputs),
        "inputs": inputs,
    }


def stack_part(content: str) -> str:
    """The rendered service without the bundle in its middle."""
    lines = content.splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line.startswith("export default"))
    return "".join([lines[0], "// ... the bundle ...\n", *lines[start:]])


def as_json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
