"""What a preview says of each kind of change, beside the tests in `tests/golden/previews`.

Each case is the shop as it stands, one edit, and what is said: text with `--diff`, the document
for what is not plain to see. `make golden` rewrites them.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from flowflare.errors import FlowflareError
from flowflare.review.changes import review
from flowflare.review.document import make_document
from flowflare.review.text import join_lines, summarise_review, write_lines
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.shop import CONFIG, MAILS, copy_of, make_shop, write, write_clients

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
HERE = Path(__file__).parent.parent / "golden/previews"
SCHEMA = json.loads(
    (HERE.parents[2] / "docs/reference/schemas/flowflare.plan.schema.json").read_text()
)
MAILS_FILE = "worker_src/mails/src/index.js"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Project:
    """The shop after an `up`; the cases look at copies of it."""
    project = make_shop(tmp_path_factory.mktemp("previews") / "shop", cloudflare)
    project.stack().up()
    return project


def clients(project: Project, **mails: Any) -> None:
    """Sets keys of the client `mails`; None takes one away."""
    config = json.loads(json.dumps(CONFIG))
    fields = config["flowflare:clients"]["value"]["mails"]
    for key, value in mails.items():
        if value is None:
            del fields[key]
        else:
            fields[key] = value
    write_clients(project, config)


def without_client(project: Project, name: str) -> None:
    config = json.loads(json.dumps(CONFIG))
    del config["flowflare:clients"]["value"][name]
    write_clients(project, config)


def without_workflow(project: Project) -> None:
    config = json.loads(json.dumps(CONFIG))
    del config["flowflare:clients"]["value"]["orders"]["workflows"]
    write_clients(project, config)


def steps(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"tag": "v1", "newSqliteClasses": ["Outbox"]}, *more]


def allow(project: Project, name: str, reason: str = "it holds nothing yet") -> None:
    project.configure(f'flowflare:allowDataLoss: {{flowflare-{name}: "{reason}"}}')


def class_deleted(project: Project) -> None:
    write(project, MAILS_FILE, "export default { fetch: () => new Response() };\n")
    clients(
        project,
        durableObjects=None,
        classMigrations=steps({"tag": "v2", "deletedClasses": ["Outbox"]}),
    )


def class_deleted_with_a_reason(project: Project) -> None:
    class_deleted(project)
    allow(project, "mails-class-migrations")


def class_added(project: Project) -> None:
    more = "export class Inbox extends DurableObject {}\n"
    write(project, MAILS_FILE, MAILS.replace("export default", f"{more}\nexport default"))
    clients(
        project,
        durableObjects={"OUTBOX": {"className": "Outbox"}, "INBOX": {"className": "Inbox"}},
        classMigrations=steps({"tag": "v2", "newSqliteClasses": ["Inbox"]}),
    )


def class_moved(project: Project) -> None:
    class_added(project)
    moved = {"from": "Inbox", "fromScript": "old-mails", "to": "Inbox"}
    clients(
        project,
        durableObjects={"OUTBOX": {"className": "Outbox"}, "INBOX": {"className": "Inbox"}},
        classMigrations=steps({"tag": "v2", "transferredClasses": [moved]}),
    )
    allow(project, "mails-class-migrations")


def archive(name: str, sql: str) -> Callable[[Project], None]:
    return lambda project: write(project, f"worker_src/mails/migrations/{name}", sql)


def database_renamed_with_a_reason(project: Project) -> None:
    project.configure("flowflare:names: {database: shop-runs}")
    allow(project, "service-database")


def script_renamed_with_a_reason(project: Project) -> None:
    project.configure("flowflare:names: {service: shop-runs}")
    reasons = ", ".join(f"flowflare-service-{one}: moved" for one in ("script", "class-migrations"))
    project.configure(f"flowflare:allowDataLoss: {{{reasons}}}")


CASES: dict[str, Callable[[Project], object]] = {
    "nothing": lambda _: None,
    "code_changed": lambda project: write(
        project, MAILS_FILE, MAILS.replace("no mail", "new mail")
    ),
    "variable_changed": lambda project: clients(
        project, variables={"SENDER": "mail@example.com", "DEBUG": "on"}
    ),
    "secret_changed": lambda project: write(project, "smtp-password", "canary-of-the-second\n"),
    "binding_added": lambda project: clients(
        project, bindings={"FILES": {"type": "r2_bucket", "bucket_name": "mail-files"}}
    ),
    "bindings_dropped": lambda project: clients(project, variables={"DEBUG": "on"}, secrets=None),
    "database_renamed": lambda project: project.configure("flowflare:names: {database: shop-runs}"),
    "database_renamed_with_a_reason": database_renamed_with_a_reason,
    "database_elsewhere": lambda project: clients(
        project,
        databases={
            "ARCHIVE": {"migrations": "worker_src/mails/migrations", "locationHint": "weur"}
        },
    ),
    "script_renamed": lambda project: project.configure("flowflare:names: {service: shop-runs}"),
    "script_renamed_with_a_reason": script_renamed_with_a_reason,
    "class_added": class_added,
    "class_deleted": class_deleted,
    "class_deleted_with_a_reason": class_deleted_with_a_reason,
    "class_moved": class_moved,
    "migration_with_a_warning": archive("0002_sent.sql", "UPDATE mail SET text = '';\n"),
    "migration_with_an_error": archive("0002_gone.sql", "DROP TABLE mail;\n"),
    "migration_that_loses_data_accepted": archive(
        "0002_gone.sql",
        "-- flowflare: accept drop-table: nothing was ever in it\nDROP TABLE mail;\n",
    ),
    "client_removed": lambda project: without_client(project, "mails"),
    "workflow_removed": without_workflow,
    "protection_lifted": lambda project: allow(project, "mails-archive-database"),
}


@pytest.mark.parametrize("case", CASES)
def test_preview(case: str, standing: Project, tmp_path: Path) -> None:
    project = copy_of(standing, tmp_path / "shop")
    CASES[case](project)
    matches(case, project)


def test_preview_of_a_first_up(tmp_path: Path, cloudflare: Cloudflare) -> None:
    matches("first_up", make_shop(tmp_path / "shop", cloudflare), diff=False)


def test_preview_of_a_destroy(standing: Project) -> None:
    reviewed = review(standing.stack().plan_destroy())
    compare(
        HERE / "destroy.txt", join_lines(write_lines(reviewed)) + summarise_review(reviewed) + "\n"
    )


def matches(case: str, project: Project, *, diff: bool = True) -> None:
    try:
        plan = project.stack().preview()
    except FlowflareError as error:
        compare(HERE / f"{case}.txt", f"{error}\n")
        return
    reviewed = review(plan, diff=diff)
    text = join_lines(write_lines(reviewed)) + summarise_review(reviewed) + "\n"
    made = make_document(reviewed, project="shop", stack="local")
    jsonschema_rs.validate(SCHEMA, made)
    made["resources"] = [one for one in made["resources"] if one["op"] != "same"]
    for one in made["resources"]:
        del one["differences"], one["urn"]
    del made["outputs"]
    assert "canary" not in text + json.dumps(made)
    compare(HERE / f"{case}.txt", text)
    if diff:
        compare(HERE / f"{case}.json", json.dumps(made, indent=1, ensure_ascii=False) + "\n")


def compare(file: Path, text: str) -> None:
    """Compares with what is kept, but for what differs each time or with the runtime's release."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "<account>", text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "<fingerprint>", text)
    text = re.sub(r"\[[\d,]+ bytes, [\d,]+ lines, sha256 \w+\]", "<text>", text)
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()
