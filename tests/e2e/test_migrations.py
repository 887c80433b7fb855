"""The migrations of a client's own database, from the first file to the way back."""

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
    """A project whose client has a database of its own."""
    project.edit(
        "Pulumi.yaml",
        "        workflows:\n",
        "        databases:\n          SHOP:\n"
        f"            migrations: {FOLDER}\n        workflows:\n",
    )
    return project


def said(project: Project, *words: str) -> CliResult:
    return flowflare("migrations", *words, "--cwd", str(project.root))


def done(project: Project, *words: str) -> CliResult:
    answer = said(project, *words)
    assert answer.code == 0, answer.err
    return answer


def told(answer: CliResult) -> str:
    """What a command wrote, without what is another each time."""
    text = re.sub(r"([0-9a-f]{8}-){3}[0-9a-f]{32}", "<bookmark>", f"{answer.err}--\n{answer.out}")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<time>", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def states(project: Project) -> dict[str, str]:
    document = json.loads(done(project, "status", *CLIENT, "--json").out)
    return {file["name"]: file["state"] for file in document["files"]}


def write(project: Project, name: str, sql: str) -> None:
    (project.root / FOLDER).mkdir(parents=True, exist_ok=True)
    (project.root / FOLDER / name).write_text(sql)


def refusal(project: Project) -> str:
    with pytest.raises(FlowflareError) as caught:
        project.stack().up()
    return caught.value.message


def test_a_database_is_made_changed_and_taken_back(shop: Project) -> None:
    first, second = "0001_create_items.sql", "0002_fill.sql"
    made = done(shop, "new", "create items", *CLIENT).out.strip()
    assert made == f"{FOLDER}/{first}"
    write(shop, first, "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);\n")
    shop.stack().up()
    assert states(shop) == {first: "applied"}

    # The linter stops a file; a failing one reports its statement; both leave all as it was.
    write(shop, second, "INSERT INTO items (name) VALUES ('a');\nDROP TABLE items;\n")
    assert "0002_fill.sql:2: drop-table: the rows of items are lost" in refusal(shop)
    assert said(shop, "lint", *CLIENT).code == 1
    write(shop, second, "INSERT INTO items (name) VALUES ('a');\nINSERT INTO nowhere VALUES (1);\n")
    assert "no such table: nowhere" in (failed := refusal(shop))
    assert "line 2: INSERT INTO nowhere VALUES (1);" in failed
    assert states(shop) == {first: "applied", second: "pending"}
    write(shop, second, "INSERT INTO items (name) VALUES ('a'), ('b');\n")
    shop.stack().up()

    # An applied file is not edited; back before it, it may be.
    write(shop, second, "INSERT INTO items (name) VALUES ('c');\n")
    assert "0002_fill.sql: was edited after it was applied" in refusal(shop)
    assert said(shop, "restore", "0002", *CLIENT, "--confirm", "another").code == 1
    answer = done(shop, "restore", "0002", *CLIENT, "--confirm", NAME)
    compare(EXPECTED / "restore.txt", told(answer))
    back = answer.out.partition("--bookmark ")[2].split()[0]
    assert states(shop) == {first: "applied", second: "pending"}
    assert shop.stack().preview().changed == 1
    shop.stack().up()
    assert states(shop) == {first: "applied", second: "applied"}
    assert shop.stack().preview().changed == 0

    # The way back leads to the rows of before, and to the file that made them.
    answer = done(shop, "restore", "--bookmark", back, *CLIENT, "--confirm", NAME, "--json")
    assert json.loads(answer.out)["database"] == NAME
    assert states(shop) == {first: "applied", second: "edited"}
    compare(EXPECTED / "status.txt", told(done(shop, "status", *CLIENT)))
    assert "0002_fill.sql: was edited after it was applied" in refusal(shop)


def test_a_database_that_was_filled_by_hand_is_recorded(shop: Project) -> None:
    write(
        shop, "0001_create_items.sql", "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);\n"
    )
    shop.stack().up()
    path = f"/d1/database/{NAME}"
    uuid = shop.account.get(path)["uuid"]
    by_hand = (
        "DELETE FROM d1_migrations; DELETE FROM flowflare_migrations; "
        'CREATE TABLE "Lines" (id INTEGER PRIMARY KEY, item INTEGER)'
    )
    shop.account.post(f"/d1/database/{uuid}/query", {"sql": by_hand})

    refused = said(shop, "baseline", *CLIENT)
    assert refused.code == 1
    compare(EXPECTED / "baseline.txt", told(refused))
    write(shop, "0002_lines.sql", "create table Lines(id INTEGER PRIMARY KEY, item integer);\n")
    write(shop, "0003_more.sql", "CREATE TABLE more (id INTEGER PRIMARY KEY);\n")
    refused = said(shop, "baseline", *CLIENT)
    assert "run it with --to 0002_lines.sql" in refused.err
    assert set(states(shop).values()) == {"pending"}
    assert done(shop, "baseline", *CLIENT, "--to", "0002").code == 0
    shop.stack().up()
    assert set(states(shop).values()) == {"applied"}

    # Files that cannot be read are no reason to hide what was applied.
    write(shop, "0005_broken.sql", "SELECT 1;\0")
    shown = said(shop, "status", *CLIENT)
    assert shown.code == 1
    assert "0002_lines.sql" in shown.out
    assert "deleted" not in shown.out
    assert "0005_broken.sql: contains a NUL" in shown.err
    never = said(shop, "restore", "--timestamp", "2020-01-01T00:00", *CLIENT, "--confirm", NAME)
    assert "Time Travel cannot restore to 2020-01-01T00:00" in never.err
    # A stack of the Pulumi CLI's has its databases found and taken back in the same way.
    (shop.root / FOLDER / "0005_broken.sql").unlink()
    shop.edit("Pulumi.local.yaml", "  flowflare:engine: embedded\n", "")
    answer = done(shop, "restore", "0003", *CLIENT, "--confirm", NAME)
    assert "pulumi refresh --stack local" in answer.out
    assert states(shop)["0003_more.sql"] == "pending"
    unasked = said(shop, "restore", "--bookmark", "0", *CLIENT)
    assert f"restoring {NAME} loses data and must be confirmed" in unasked.err


def test_the_trackings_files_are_flowflares(shop: Project) -> None:
    answer = said(shop, "new", "mine")
    assert answer.code == 1
    assert "the tracking database's migrations come with flowflare" in answer.err
