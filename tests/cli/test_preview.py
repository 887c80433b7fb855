"""`flowflare preview` of a new stack: in words, line by line, and as a document."""

import json
from pathlib import Path

from tests.cli.command import flowflare


def test_what_would_be_made_with_its_price(root: Path) -> None:
    said = flowflare("preview", "--cwd", str(root))
    assert (said.code, said.err) == (0, "")
    title, group, *rest = said.out.splitlines()
    assert title == "Preview of shop/local"
    assert group == "Safe"
    assert "class migration workflow-tracker-v1: new WorkflowTracker" in said.out
    assert "run 0001_tracking.sql [" in said.out
    assert " 11 create; 17 API calls; safe.  Next:  " in rest[-1]


def test_line_by_line(root: Path) -> None:
    said = flowflare("preview", "--diff", "--cwd", str(root))
    assert "        +CREATE TABLE workflow (" in said.out


def test_as_a_document_with_nothing_secret(root: Path) -> None:
    document = json.loads(flowflare("preview", "--json", "--cwd", str(root)).out)
    assert (document["version"], document["changed"]) == (1, 11)
    (script,) = [one for one in document["resources"] if one["name"] == "flowflare-service-script"]
    (key,) = [one for one in script["changes"] if one["path"] == 'bindings["SERVICE_API_KEY"]']
    assert key["new"]["text"] == "[secret]"
    assert key["waits_for"] == []
    (database,) = [one for one in script["changes"] if one["path"] == 'bindings["DB"]']
    assert database["new"]["id"] == "[unknown]"
    assert "flowflare-service-database" in database["waits_for"]


def test_the_next_step_names_the_stack_in_use(root: Path) -> None:
    (root / "Pulumi.staging.yaml").write_text((root / "Pulumi.local.yaml").read_text())
    said = flowflare("preview", "--stack", "staging", "--cwd", str(root))
    assert said.out.rstrip().endswith("up -s staging")
    unknown = flowflare("outputs", "--stack", "staging", "--cwd", str(root))
    assert unknown.err.rstrip().endswith("Make them: flowflare up -s staging")
