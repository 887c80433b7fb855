"""A preview shows every kind of change to a deployed shop; `tests/golden/previews` has the rest.

Each case edits a copy of the deployed shop and compares the text with `--diff` and the document,
without their plain parts. `make golden` rewrites the expected files.
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
from tests.e2e.shop import CONFIG, MAILS, copy_project, make_shop, write, write_clients

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
HERE = Path(__file__).parent.parent / "golden/previews"
SCHEMA = json.loads(
    (HERE.parents[2] / "docs/reference/schemas/flowflare.plan.schema.json").read_text()
)
MAILS_FILE = "worker_src/mails/src/index.js"


@pytest.fixture(scope="module")
def deployed_shop(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Project:
    """Deploy the shop; the cases edit copies of it."""
    project = make_shop(tmp_path_factory.mktemp("previews") / "shop", cloudflare)
    project.open_stack().up()
    return project


def configure_mails(project: Project, **mails: Any) -> None:
    """Set fields of the client `mails`; None removes a field."""
    config = json.loads(json.dumps(CONFIG))
    fields = config["flowflare:clients"]["value"]["mails"]
    for key, value in mails.items():
        if value is None:
            del fields[key]
        else:
            fields[key] = value
    write_clients(project, config)


def remove_client(project: Project, name: str) -> None:
    config = json.loads(json.dumps(CONFIG))
    del config["flowflare:clients"]["value"][name]
    write_clients(project, config)


def remove_workflow(project: Project) -> None:
    config = json.loads(json.dumps(CONFIG))
    del config["flowflare:clients"]["value"]["orders"]["workflows"]
    write_clients(project, config)


def make_migrations(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"tag": "v1", "newSqliteClasses": ["Outbox"]}, *more]


def allow_data_loss(project: Project, name: str, reason: str = "it holds nothing yet") -> None:
    project.configure(f'flowflare:allowDataLoss: {{flowflare-{name}: "{reason}"}}')


def delete_class(project: Project) -> None:
    write(project, MAILS_FILE, "export default { fetch: () => new Response() };\n")
    configure_mails(
        project,
        durableObjects=None,
        classMigrations=make_migrations({"tag": "v2", "deletedClasses": ["Outbox"]}),
    )


def delete_class_with_a_reason(project: Project) -> None:
    delete_class(project)
    allow_data_loss(project, "mails-class-migrations")


def add_class(project: Project) -> None:
    inbox = "export class Inbox extends DurableObject {}\n"
    write(project, MAILS_FILE, MAILS.replace("export default", f"{inbox}\nexport default"))
    configure_mails(
        project,
        durableObjects={"OUTBOX": {"className": "Outbox"}, "INBOX": {"className": "Inbox"}},
        classMigrations=make_migrations({"tag": "v2", "newSqliteClasses": ["Inbox"]}),
    )


def move_class(project: Project) -> None:
    add_class(project)
    moved = {"from": "Inbox", "fromScript": "old-mails", "to": "Inbox"}
    configure_mails(
        project,
        durableObjects={"OUTBOX": {"className": "Outbox"}, "INBOX": {"className": "Inbox"}},
        classMigrations=make_migrations({"tag": "v2", "transferredClasses": [moved]}),
    )
    allow_data_loss(project, "mails-class-migrations")


def add_migration(name: str, sql: str) -> Callable[[Project], None]:
    return lambda project: write(project, f"worker_src/mails/migrations/{name}", sql)


def rename_database_with_a_reason(project: Project) -> None:
    project.configure("flowflare:names: {database: shop-runs}")
    allow_data_loss(project, "service-database")


def rename_script_with_a_reason(project: Project) -> None:
    project.configure("flowflare:names: {service: shop-runs}")
    names = ("script", "class-migrations")
    reasons = ", ".join(f"flowflare-service-{name}: moved" for name in names)
    project.configure(f"flowflare:allowDataLoss: {{{reasons}}}")


CASES: dict[str, Callable[[Project], object]] = {
    "nothing": lambda _: None,
    "code_changed": lambda project: write(
        project, MAILS_FILE, MAILS.replace("no mail", "new mail")
    ),
    "variable_changed": lambda project: configure_mails(
        project, variables={"SENDER": "mail@example.com", "DEBUG": "on"}
    ),
    "secret_changed": lambda project: write(project, "smtp-password", "canary-of-the-second\n"),
    "binding_added": lambda project: configure_mails(
        project, bindings={"FILES": {"type": "r2_bucket", "bucket_name": "mail-files"}}
    ),
    "bindings_dropped": lambda project: configure_mails(
        project, variables={"DEBUG": "on"}, secrets=None
    ),
    "database_renamed": lambda project: project.configure("flowflare:names: {database: shop-runs}"),
    "database_renamed_with_a_reason": rename_database_with_a_reason,
    "database_elsewhere": lambda project: configure_mails(
        project,
        databases={
            "ARCHIVE": {"migrations": "worker_src/mails/migrations", "locationHint": "weur"}
        },
    ),
    "script_renamed": lambda project: project.configure("flowflare:names: {service: shop-runs}"),
    "script_renamed_with_a_reason": rename_script_with_a_reason,
    "class_added": add_class,
    "class_deleted": delete_class,
    "class_deleted_with_a_reason": delete_class_with_a_reason,
    "class_moved": move_class,
    "migration_with_a_warning": add_migration("0002_sent.sql", "UPDATE mail SET text = '';\n"),
    "migration_with_an_error": add_migration("0002_gone.sql", "DROP TABLE mail;\n"),
    "migration_that_loses_data_accepted": add_migration(
        "0002_gone.sql",
        "-- flowflare: accept drop-table: nothing was ever in it\nDROP TABLE mail;\n",
    ),
    "client_removed": lambda project: remove_client(project, "mails"),
    "workflow_removed": remove_workflow,
    "protection_lifted": lambda project: allow_data_loss(project, "mails-archive-database"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_preview_shows_a_change_as_recorded(
    case: str, deployed_shop: Project, tmp_path: Path
) -> None:
    project = copy_project(deployed_shop, tmp_path / "shop")
    CASES[case](project)
    compare_preview(case, project)


def test_a_preview_of_a_first_up_is_as_recorded(tmp_path: Path, cloudflare: Cloudflare) -> None:
    compare_preview("first_up", make_shop(tmp_path / "shop", cloudflare), diff=False)


def test_a_preview_of_a_destroy_is_as_recorded(deployed_shop: Project) -> None:
    reviewed = review(deployed_shop.open_stack().plan_destroy())
    compare_text(
        HERE / "destroy.txt", join_lines(write_lines(reviewed)) + summarise_review(reviewed) + "\n"
    )


def compare_preview(case: str, project: Project, *, diff: bool = True) -> None:
    try:
        plan = project.open_stack().preview()
    except FlowflareError as error:
        compare_text(HERE / f"{case}.txt", f"{error}\n")
        return
    reviewed = review(plan, diff=diff)
    text = join_lines(write_lines(reviewed)) + summarise_review(reviewed) + "\n"
    document = make_document(reviewed, project="shop", stack="local")
    jsonschema_rs.validate(SCHEMA, document)
    document["resources"] = [each for each in document["resources"] if each["op"] != "same"]
    for resource in document["resources"]:
        del resource["differences"], resource["urn"]
    del document["outputs"]
    assert "canary" not in text + json.dumps(document)
    compare_text(HERE / f"{case}.txt", text)
    if diff:
        compare_text(
            HERE / f"{case}.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        )


def compare_text(file: Path, text: str) -> None:
    """Compare with the recorded text, except what differs between runs or releases."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "<account>", text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "<fingerprint>", text)
    text = re.sub(r"\[[\d,]+ bytes, [\d,]+ lines, sha256 \w+\]", "<text>", text)
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()
