"""`flowflare preview` of a new stack: as text, with differences, and as JSON."""

import json
from pathlib import Path

from tests.cli.command import flowflare


def test_the_text_shows_the_operations_and_the_number_of_calls(root: Path) -> None:
    said = flowflare("preview", "--cwd", str(root))
    assert (said.code, said.err) == (0, "")
    title, group, *rest = said.out.splitlines()
    assert title == "Preview of shop/local"
    assert group == "Safe"
    assert "class migration workflow-tracker-v1: new WorkflowTracker" in said.out
    assert "run 0001_tracking.sql [" in said.out
    assert " 11 create; 17 API calls; safe.  Next:  " in rest[-1]


def test_diff_shows_changed_lines(root: Path) -> None:
    said = flowflare("preview", "--diff", "--cwd", str(root))
    assert "        +CREATE TABLE workflow (" in said.out


def test_the_json_document_has_no_secrets(root: Path) -> None:
    document = json.loads(flowflare("preview", "--json", "--cwd", str(root)).out)
    assert (document["version"], document["changed"]) == (1, 11)
    (script,) = [
        entry for entry in document["resources"] if entry["name"] == "flowflare-service-script"
    ]
    (key,) = [
        entry for entry in script["changes"] if entry["path"] == 'bindings["SERVICE_API_KEY"]'
    ]
    assert key["new"]["text"] == "[secret]"
    assert key["waits_for"] == []
    (database,) = [entry for entry in script["changes"] if entry["path"] == 'bindings["DB"]']
    assert database["new"]["id"] == "[unknown]"
    assert "flowflare-service-database" in database["waits_for"]


def test_the_next_step_names_the_stack_in_use(root: Path) -> None:
    (root / "Pulumi.staging.yaml").write_text((root / "Pulumi.local.yaml").read_text())
    said = flowflare("preview", "--stack", "staging", "--cwd", str(root))
    assert said.out.rstrip().endswith("up -s staging")
    unknown = flowflare("outputs", "--stack", "staging", "--cwd", str(root))
    assert unknown.err.rstrip().endswith("Deploy it: flowflare up -s staging")
