"""The library as a package: its declarations, and a client Worker in TypeScript that uses them."""

import json
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from tests.worker.pairs.conftest import ROOT, node
from tests.worker.worker_calls import Api

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("pairs")]

LIBRARY = ROOT / "worker_src/flowflare"
TSC = ROOT / "node_modules/typescript/bin/tsc"


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_declarations_are_those_of_the_sources(tmp_path: Path) -> None:
    node(ROOT / ".ci/declarations.mjs", tmp_path / "types", cwd=ROOT)

    assert texts(LIBRARY / "types") == texts(tmp_path / "types"), "run: make types-js"


def test_every_documented_specifier_has_code_and_types(mailer: Path) -> None:
    package = mailer / "node_modules/@b-i-g-g-i-d-e-a/flowflare"
    exports = json.loads((package / "package.json").read_text())["exports"]

    assert list(exports) == [".", "./client", "./workflow"]
    for targets in exports.values():
        assert [(package / target).is_file() for target in targets.values()] == [True, True]


def test_a_typescript_client_is_type_checked_strictly(mailer: Path) -> None:
    node(TSC, "--strict", "-p", mailer, cwd=mailer)


def test_a_mistake_is_a_type_error(mailer: Path) -> None:
    (mailer / "wrong").mkdir()
    text = (mailer / "src/index.ts").read_text()
    assert "'Completed', output_result" in text
    wrong = text.replace("'Completed', output_result", "'Done', output_result")
    (mailer / "wrong/index.ts").write_text(wrong)
    config = {"extends": "../tsconfig.json", "include": ["."]}
    (mailer / "wrong/tsconfig.json").write_text(json.dumps(config))

    with pytest.raises(AssertionError, match="'\"Done\"' is not assignable"):
        node(TSC, "-p", mailer / "wrong", cwd=mailer)


def test_a_typescript_client_runs(pairs: dict[str, Api], fresh: str) -> None:
    started = pairs["mailer"].client.get("/", params={"to": fresh}).json()
    assert started["found"] == 1

    workflow = wait_until(
        lambda: (
            pairs["mailer"].client.get("/", params={"id": started["workflowId"]}).json()["workflow"]
        ),
        lambda workflow: workflow["status"] == "Completed",
    )
    assert json.loads(workflow["output_result"]) == {"to": fresh, "at": 5}
    assert [(step["step_name"], step["status"]) for step in workflow["steps"]] == [
        ("send", "Completed"),
        ("count", "Completed"),
    ]


def test_an_error_of_the_service_reaches_a_typescript_client(pairs: dict[str, Api]) -> None:
    answer = pairs["mailer"].client.get("/", params={"id": "nobody"})

    assert (answer.status_code, answer.json()) == (404, {"error": "There is no such workflow"})
