"""A review in words: lines of text, a summary, a document."""

import json
from pathlib import Path

import jsonschema_rs

from flowflare.review.changes import review
from flowflare.review.document import make_document
from flowflare.review.text import join_lines, summarise_review, write_lines
from flowflare.values.events import Failure, Plan, Step
from tests.unit.review.steps import script, step

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/reference/schemas/flowflare.plan.schema.json").read_text()
)
SECRET = {"name": "KEY", "type": "secret_text", "text": "[secret]"}
FLAG = {"name": "FLAG", "type": "plain_text", "text": "on"}


def text(*steps: Step, failures: tuple[Failure, ...] = ()) -> str:
    return join_lines(write_lines(review(Plan(steps, failures=failures))))


def test_a_dropped_secret_and_a_new_binding_are_described() -> None:
    shown = text(step("update", "WorkersScript", script("a", SECRET), script("a", FLAG)))
    assert "drops secret KEY (secret_text)" in shown
    assert "adds binding FLAG (plain_text, text=on)" in shown


def test_properties_of_created_resources_are_shown_on_request() -> None:
    created = review(Plan((step("create", "Workflow", None, {"workflowName": "w", "tags": []}),)))
    assert "workflowName" not in join_lines(write_lines(created))
    assert join_lines(write_lines(created, created=True)).endswith("        workflowName: w\n")


def test_an_added_mapping_is_shown_key_by_key() -> None:
    old, new = script("a"), script("a") | {"limits": {"cpuMs": 50}}
    assert "        limits.cpuMs: 50 (new)\n" in text(step("update", "WorkersScript", old, new))
    assert "        limits.cpuMs: 50 (removed)\n" in text(step("update", "WorkersScript", new, old))


def test_unchanged_resources_are_only_counted() -> None:
    stays, goes = step("same", "ApiKey", {}, {}), step("delete", "Workflow", {"workflowName": "w"})
    assert "apikey" not in text(stays, goes)
    assert summarise_review(review(Plan((stays, goes)))) == (
        "1 delete, 1 unchanged; 1 API call; loses data"
    )
    assert summarise_review(review(Plan())) == "no resources; 0 API calls; safe"


def test_a_lifted_protection_is_shown_although_nothing_changes() -> None:
    shown = text(step("same", "D1Database", {}, {}, protected=True))
    assert "unprotect d1database" in shown
    assert "the next `up` may delete it" in shown


def test_a_refusal_keeps_its_remedy() -> None:
    deletion = step("delete", "D1Database", {"name": "db"}, protected=True)
    reason = "is protected\n  Say why."
    failure = Failure(deletion.urn, deletion.name, deletion.type, reason, "protected")
    shown = text(deletion, failures=(failure,))
    assert "protected: refused" in shown
    assert shown.endswith("Refused\n  ! d1database: is protected\n        Say why.\n")


def test_the_document_follows_its_schema() -> None:
    steps = (
        step("update", "WorkersScript", script("a", SECRET), script("a", FLAG)),
        step("create", "D1Migrations", None, {"migrations": [{"name": "1.sql", "sql": "--"}]}),
        step("create", "DurableObjectMigrations", None, {"history": [{"tag": "v1"}]}),
    )
    failure = Failure("urn", "x", "t", "no", "skipped")
    plan = Plan(steps, {"url": "[unknown]"}, (failure,))
    made = make_document(review(plan, diff=True), project="p", stack="dev")
    jsonschema_rs.validate(SCHEMA, made)
    assert (made["version"], made["changed"], made["api_calls"]) == (1, 3, 1 + 3 + 2)
    broken = made | {"risk": "none"}
    assert list(jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(broken))
