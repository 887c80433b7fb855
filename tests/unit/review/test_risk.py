"""The meaning of each operation for data and running objects."""

from typing import Any

import pytest

from flowflare.review.changes import review
from flowflare.review.entries import Entry
from flowflare.values.events import HALF_DONE, RETAINED, Failure, Plan, Step
from tests.unit.review.steps import TRACKER, history, script, step

V1 = {"tag": "v1", "new_sqlite_classes": ["Tracker"]}
V2 = {"tag": "v2", "deleted_classes": ["Tracker"]}
MOVED = {"tag": "v2", "transferred_classes": [{"from": "A", "from_script": "x", "to": "B"}]}
RENAMED = {"tag": "v2", "renamed_classes": [{"from": "Tracker", "to": "Follower"}]}
AT_V1 = {"migration_tag": "v1"}
DB, OTHER = {"name": "db"}, {"name": "other"}

CRONS = {"schedules": [{"cron": "5 4 * * *"}, {"cron": "*/10 * * * *"}]}

RISKS = [
    (
        "safe",
        step("delete", "WorkersCronTrigger", CRONS),
        "These cron triggers end: `5 4 * * *`, `*/10 * * * *`.",
    ),
    ("safe", step("create", "WorkersCronTrigger", None, CRONS), ""),
    (
        "safe",
        step("delete", "WorkersRoute", {"pattern": "shop.example/api/*"}),
        "Requests to `shop.example/api/*` no longer reach the Worker.",
    ),
    (
        "safe",
        step("delete", "WorkersCustomDomain", {"hostname": "api.shop.example"}),
        "Requests to `api.shop.example` no longer reach the Worker.",
    ),
    ("safe", step("create", "D1Database", None, DB), ""),
    ("loses-data", step("replace", "D1Database", DB, OTHER), "`other` is a new, empty database"),
    ("loses-data", step("delete", "D1Database", DB), "`db` is deleted with all its data"),
    ("safe", step("update", "D1Database", DB, DB), ""),
    ("safe", step("update", "WorkersScript", script("a"), script("a", code="2")), ""),
    (
        "restarts",
        step("update", "WorkersScript", script("a", TRACKER), script("a", TRACKER, code="2")),
        "restarts the Durable Objects of Tracker",
    ),
    (
        "safe",
        step(
            "update",
            "WorkersScript",
            script("a", TRACKER | {"scriptName": "other"}),
            script("a", TRACKER | {"scriptName": "other"}, code="2"),
        ),
        "",
    ),
    (
        "loses-data",
        step("replace", "WorkersScript", script("a", TRACKER), script("b", TRACKER)),
        "`b` begins with empty namespaces; the objects of Tracker are deleted with `a`",
    ),
    ("safe", step("replace", "WorkersScript", script("a"), script("b")), "at another address"),
    ("loses-data", step("delete", "WorkersScript", script("a", TRACKER)), "The objects of Tracker"),
    ("safe", step("delete", "WorkersScript", script("a")), "stops answering"),
    ("safe", step("create", "DurableObjectMigrations", None, history(V1)), ""),
    (
        "restarts",
        step("update", "DurableObjectMigrations", history(V1), history(V1, RENAMED), outputs=AT_V1),
        "restarts the Durable Objects of Tracker",
    ),
    (
        "loses-data",
        step("update", "DurableObjectMigrations", history(V1), history(V1, V2), outputs=AT_V1),
        "`v2` deletes Tracker with all its objects' data",
    ),
    (
        "loses-data",
        step("update", "DurableObjectMigrations", history(V1), history(V1, MOVED), outputs=AT_V1),
        "`v2` moves x.A -> B",
    ),
    (
        "loses-data",
        step("replace", "DurableObjectMigrations", history(V1), history(V1, name="new")),
        "`new` begins with empty namespaces: the objects of Tracker stay behind",
    ),
    ("loses-data", step("delete", "Workflow", {"workflowName": "w"}), "with its instances"),
    ("safe", step("delete", "ApiKey", {}), "are refused"),
    ("loses-data", step("delete", "R2Bucket", {}), "while the bucket holds objects"),
]


def entry_of(*steps: Step, **more: Any) -> Entry:
    return review(Plan(steps, **more)).entries[0]


@pytest.mark.parametrize(
    ("risk", "step", "sentence"), RISKS, ids=lambda item: getattr(item, "op", None)
)
def test_risk(risk: str, step: Step, sentence: str) -> None:
    entry = entry_of(step)
    assert entry.risk == risk
    assert sentence in " ".join(reason.text for reason in entry.reasons)


def test_an_unchanged_resource_is_safe() -> None:
    assert entry_of(step("same", "WorkersScript", script("a", TRACKER))).reasons == ()


def test_a_class_of_the_migrations_is_restarted_without_an_own_binding() -> None:
    """The class migrations say which classes a script has, even if it does not bind one itself."""
    kept = step("same", "DurableObjectMigrations", history(V1, RENAMED, name="a"))
    changed = step("update", "WorkersScript", script("a"), script("a", code="2"))
    assert "Follower" in entry_of(kept, changed).reasons[0].text


DROPS = [
    {"name": "0001_a.sql", "sql": "CREATE TABLE a (id INTEGER);"},
    {"name": "0002_b.sql", "sql": "DROP TABLE a;"},
]


@pytest.mark.parametrize("database", ["[new id of shop-database]", "[unknown]"])
def test_the_history_of_a_new_database_loses_nothing(database: str) -> None:
    made = step("create", "D1Migrations", None, {"database_id": database, "migrations": DROPS})
    assert entry_of(made).risk == "safe"


def test_a_file_that_cannot_run_on_a_new_database_is_an_error() -> None:
    after = {"database_id": "[unknown]", "migrations": DROPS[1:]}
    [file] = entry_of(step("create", "D1Migrations", None, after)).migrations
    [finding] = file.findings
    assert (finding.rule, finding.severity) == ("does-not-apply", "error")


@pytest.mark.parametrize(
    "database", ["3f2a0c9e-0000-4000-8000-000000000000", "[id of shop-database]"]
)
def test_files_that_run_on_an_existing_database_may_lose_rows(database: str) -> None:
    after = {"database_id": database, "migrations": DROPS}
    before = {**after, "migrations": []}
    assert entry_of(step("create", "D1Migrations", None, after)).risk == "loses-data"
    assert entry_of(step("update", "D1Migrations", before, after)).risk == "loses-data"


WORKFLOW = {"workflowName": "orders", "scriptName": "a", "className": "Orders"}
RUNS = "export class {} {{ async run(event, step) {{ await step.do('{}', f); }} }}"


def test_a_renamed_step_of_a_workflow_is_a_risk_of_the_script() -> None:
    old, new = (script("a", code=RUNS.format("Orders", name)) for name in ("pay", "charge"))
    found = entry_of(
        step("update", "WorkersScript", old, new), step("same", "Workflow", WORKFLOW, WORKFLOW)
    )
    assert found.risk == "changes-replays"
    assert "Workflow `orders`: `pay` is now `charge`" in found.reasons[0].text


def test_another_class_of_a_workflow_is_compared_with_the_class_before() -> None:
    both = script("a", code=RUNS.format("Orders", "pay") + RUNS.format("Later", "charge"))
    moved = step("update", "Workflow", WORKFLOW, WORKFLOW | {"className": "Later"})
    found = entry_of(moved, step("same", "WorkersScript", both, both))
    assert (found.kind, found.risk) == ("Workflow", "changes-replays")


def test_a_new_workflow_has_no_instances_to_replay() -> None:
    old, new = (script("a", code=RUNS.format("Orders", name)) for name in ("pay", "charge"))
    begun = step("create", "Workflow", None, WORKFLOW)
    assert entry_of(step("update", "WorkersScript", old, new), begun).risk == "safe"


def test_steps_of_code_that_the_plan_does_not_have_are_unknown() -> None:
    old, new = script("a", code="[secret]"), script("a", code=RUNS.format("Orders", "pay"))
    kept = step("same", "Workflow", WORKFLOW, WORKFLOW)
    assert entry_of(step("update", "WorkersScript", old, new), kept).risk == "unknown"


def test_the_riskiest_entry_is_first_and_unchanged_entries_are_last() -> None:
    found = review(
        Plan(
            (
                step("same", "ApiKey", {}, {}, name="a"),
                step("create", "Workflow", None, {}, name="z"),
                step("create", "Workflow", None, {}, name="b"),
                step("delete", "D1Database", DB, name="y"),
                step("update", "WorkersScript", script("s", TRACKER), script("s", TRACKER)),
            )
        )
    )
    assert [entry.name for entry in found.entries] == ["y", "workersscript", "b", "z", "a"]
    assert (found.risk, found.changed) == ("loses-data", 4)


@pytest.mark.parametrize(
    ("more", "refused", "protection"),
    [
        ({"protected": True, "protect": True}, False, "kept"),
        ({"protected": True, "protect": True}, True, "refused"),
        ({"protected": True}, False, "lifted"),
        ({}, False, "none"),
    ],
)
def test_protection(more: dict[str, bool], refused: bool, protection: str) -> None:
    replacement = step("replace", "D1Database", DB, OTHER, **more)
    failure = Failure(replacement.urn, replacement.name, replacement.type, "no", "protected")
    entry = entry_of(replacement, failures=(failure,) if refused else ())
    assert entry.protection == protection
    lifted = "This `up` removes its protection and also replaces it."
    assert (lifted in [reason.text for reason in entry.reasons]) is (protection == "lifted")


def test_added_and_dropped_bindings_are_named_with_their_types() -> None:
    key = {"name": "KEY", "type": "secret_text", "text": "[secret]"}
    flag = {"name": "FLAG", "type": "plain_text", "text": "on"}
    entry = entry_of(step("update", "WorkersScript", script("a", key), script("a", flag)))
    assert [(binding.name, binding.type) for binding in entry.bindings_dropped] == [
        ("KEY", "secret_text")
    ]
    assert [(binding.name, binding.type) for binding in entry.bindings_added] == [
        ("FLAG", "plain_text")
    ]


def test_only_migrations_after_the_live_tag_would_be_sent() -> None:
    both = history(V1, RENAMED)
    update = entry_of(step("update", "DurableObjectMigrations", history(V1), both, outputs=AT_V1))
    assert [
        (migration.tag, migration.renamed_classes) for migration in update.class_migrations
    ] == [("v2", ("Tracker -> Follower",))]
    create = entry_of(step("create", "DurableObjectMigrations", None, both))
    assert [migration.tag for migration in create.class_migrations] == ["v1", "v2"]
    unknown = {"migration_tag": "by hand"}
    assert not entry_of(
        step("update", "DurableObjectMigrations", history(V1), both, outputs=unknown)
    ).class_migrations


def test_only_files_that_are_not_applied_yet_would_run() -> None:
    files = [{"name": "0001_a.sql", "sql": "SELECT 1;\n"}, {"name": "0002_b.sql", "sql": "x" * 9}]
    applied = {"applied": [{"name": "0001_a.sql"}]}
    update = step("update", "D1Migrations", {}, {"migrations": files}, outputs=applied)
    (file,) = entry_of(update).migrations
    assert (file.name, file.bytes) == ("0002_b.sql", 9)
    assert [
        file.name for file in entry_of(step("create", "D1Migrations", None, update.new)).migrations
    ] == ["0001_a.sql", "0002_b.sql"]


def test_retained_and_half_done_steps_take_fewer_requests() -> None:
    database = {"name": "db"}
    assert entry_of(step("replace", "D1Database", database, database)).api_calls == 2
    half_done = step("replace", "D1Database", database, database, note=HALF_DONE)
    assert entry_of(half_done).api_calls == 1
    assert entry_of(step("delete", "D1Database", database, note=RETAINED)).api_calls == 0
    assert entry_of(step("create", "ApiKey", None, {})).api_calls == 0
