"""The migrations of a client's own database are applied, recorded and rolled back."""

import json
import re
from pathlib import Path

import pytest

from flowflare.errors import FlowflareError
from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project
from tests.unit.migrations.golden import compare

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

FOLDER = "migrations/orders"
EXPECTED = Path(__file__).parent / "expected" / "migrations"
NAME = "local-flowflare-orders-shop"
CLIENT = ("--client", "orders")


@pytest.fixture
def shop(project: Project) -> Project:
    """Give the project's client its own database."""
    project.edit(
        "Pulumi.yaml",
        "        workflows:\n",
        "        databases:\n          SHOP:\n"
        f"            migrations: {FOLDER}\n        workflows:\n",
    )
    return project


def run_any(project: Project, *words: str) -> CliResult:
    return flowflare("migrations", *words, "--cwd", str(project.root))


def run(project: Project, *words: str) -> CliResult:
    result = run_any(project, *words)
    assert result.code == 0, result.err
    return result


def mask_output(result: CliResult) -> str:
    """Return a command's output with placeholders for bookmarks and times."""
    text = re.sub(r"([0-9a-f]{8}-){3}[0-9a-f]{32}", "<bookmark>", f"{result.err}--\n{result.out}")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<time>", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def read_states(project: Project) -> dict[str, str]:
    document = json.loads(run_any(project, "status", *CLIENT, "--json").out)
    return {file["name"]: file["state"] for file in document["files"]}


def write(project: Project, name: str, sql: str) -> None:
    (project.root / FOLDER).mkdir(parents=True, exist_ok=True)
    (project.root / FOLDER / name).write_text(sql)


def fail_up(project: Project) -> str:
    """Run an `up` that must fail; return its error."""
    with pytest.raises(FlowflareError) as caught:
        project.open_stack().up()
    return caught.value.message


def test_a_database_is_created_changed_and_rolled_back(shop: Project) -> None:
    first, second = "0001_create_items.sql", "0002_fill.sql"
    created = run(shop, "new", "create items", *CLIENT).out.strip()
    assert created == f"{FOLDER}/{first}"
    write(shop, first, "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);\n")
    shop.open_stack().up()
    assert read_states(shop) == {first: "applied"}

    # A linter error stops a file before it runs, and a failed file names its statement.
    # Both leave the database as it was.
    write(shop, second, "INSERT INTO items (name) VALUES ('a');\nDROP TABLE items;\n")
    assert "0002_fill.sql:2: drop-table: the rows of items are lost" in fail_up(shop)
    assert run_any(shop, "lint", *CLIENT).code == 1
    write(shop, second, "INSERT INTO items (name) VALUES ('a');\nINSERT INTO nowhere VALUES (1);\n")
    assert "no such table: nowhere" in (error := fail_up(shop))
    assert "line 2: INSERT INTO nowhere VALUES (1);" in error
    assert read_states(shop) == {first: "applied", second: "pending"}
    write(shop, second, "INSERT INTO items (name) VALUES ('a'), ('b');\n")
    shop.open_stack().up()

    # A file must not be edited after it was applied, unless the database is restored to before it.
    write(shop, second, "INSERT INTO items (name) VALUES ('c');\n")
    assert "0002_fill.sql: was edited after it was applied" in fail_up(shop)
    assert run_any(shop, "restore", "0002", *CLIENT, "--confirm", "another").code == 1
    result = run(shop, "restore", "0002", *CLIENT, "--confirm", NAME)
    compare(EXPECTED / "restore.txt", mask_output(result))
    bookmark = result.out.partition("--bookmark ")[2].split()[0]
    assert read_states(shop) == {first: "applied", second: "pending"}
    assert shop.open_stack().preview().changed == 1
    shop.open_stack().up()
    assert read_states(shop) == {first: "applied", second: "applied"}
    assert shop.open_stack().preview().changed == 0

    # The bookmark restores the earlier rows, and with them the record of the earlier file.
    result = run(shop, "restore", "--bookmark", bookmark, *CLIENT, "--confirm", NAME, "--json")
    assert json.loads(result.out)["database"] == NAME
    assert read_states(shop) == {first: "applied", second: "edited"}
    edited = run_any(shop, "status", *CLIENT)
    assert edited.code == 1
    assert f"{NAME}: 1 of 2 migrations cannot stay as they are: {second}" in edited.err
    compare(EXPECTED / "status.txt", mask_output(edited))
    assert "0002_fill.sql: was edited after it was applied" in fail_up(shop)


def test_a_manually_changed_database_is_recorded_as_a_baseline(shop: Project) -> None:
    write(
        shop, "0001_create_items.sql", "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);\n"
    )
    shop.open_stack().up()
    path = f"/d1/database/{NAME}"
    uuid = shop.account.get(path)["uuid"]
    sql = (
        "DELETE FROM d1_migrations; DELETE FROM flowflare_migrations; "
        'CREATE TABLE "Lines" (id INTEGER PRIMARY KEY, item INTEGER)'
    )
    shop.account.post(f"/d1/database/{uuid}/query", {"sql": sql})

    refused = run_any(shop, "baseline", *CLIENT)
    assert refused.code == 1
    compare(EXPECTED / "baseline.txt", mask_output(refused))
    write(shop, "0002_lines.sql", "create table Lines(id INTEGER PRIMARY KEY, item integer);\n")
    write(shop, "0003_more.sql", "CREATE TABLE more (id INTEGER PRIMARY KEY);\n")
    refused = run_any(shop, "baseline", *CLIENT)
    assert "run it with --to 0002_lines.sql" in refused.err
    assert set(read_states(shop).values()) == {"pending"}
    assert run(shop, "baseline", *CLIENT, "--to", "0002").code == 0
    shop.open_stack().up()
    assert set(read_states(shop).values()) == {"applied"}

    # `status` shows applied migrations even if a file cannot be read.
    write(shop, "0005_broken.sql", "SELECT 1;\0")
    status = run_any(shop, "status", *CLIENT)
    assert status.code == 1
    assert "0002_lines.sql" in status.out
    assert "deleted" not in status.out
    assert "0005_broken.sql: contains a NUL" in status.err
    too_early = ("--timestamp", "2020-01-01T00:00")
    result = run_any(shop, "restore", *too_early, *CLIENT, "--confirm", NAME)
    assert "Time Travel cannot restore to 2020-01-01T00:00" in result.err
    # The database of a Pulumi CLI stack is found and restored in the same way.
    (shop.root / FOLDER / "0005_broken.sql").unlink()
    shop.edit("Pulumi.local.yaml", "  flowflare:engine: embedded\n", "")
    result = run(shop, "restore", "0003", *CLIENT, "--confirm", NAME)
    assert "flowflare refresh --stack local" in result.out
    assert read_states(shop)["0003_more.sql"] == "pending"
    result = run_any(shop, "restore", "--bookmark", "0", *CLIENT)
    assert f"restoring {NAME} loses data and must be confirmed" in result.err


def test_migrations_of_the_tracking_database_belong_to_flowflare(shop: Project) -> None:
    result = run_any(shop, "new", "mine")
    assert result.code == 1
    assert "the tracking database's migrations come with flowflare" in result.err
