"""Folders of migrations as wrangler and drizzle-kit leave them, taken over without a change."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import UNCOUNTED, Project
from tests.support.embedded import open_embedded

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

FOLDER = "migrations/orders"
CLIENT = ("--client", "orders")
LEDGER = (
    "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL);\n"
)


def run_migrations(project: Project, *words: str) -> CliResult:
    return flowflare("migrations", *words, "--cwd", str(project.root))


def states(project: Project, stack: str = "local") -> dict[str, tuple[str, str | None]]:
    answer = run_migrations(project, "status", *CLIENT, "--stack", stack, "--json")
    found = {file["name"]: (file["state"], file["by"]) for file in json.loads(answer.out)["files"]}
    assert answer.code == int(any(state == "edited" for state, _ in found.values())), answer.err
    return found


def write(project: Project, **files: str) -> None:
    (project.root / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, sql in files.items():
        (project.root / FOLDER / f"{name.removeprefix('m')}.sql").write_text(sql)


def apply_as_wrangler(
    project: Project, database: str, *, pattern: str = "*.sql", table: str = "d1_migrations"
) -> None:
    """Send what `wrangler d1 migrations apply --remote` sends, file by file."""
    uuid = project.account.get(f"/d1/database/{database}")["uuid"]
    path = f"/d1/database/{uuid}/query"
    project.account.post(path, {"sql": LEDGER.replace("d1_migrations", f'"{table}"')})
    for file in sorted((project.root / FOLDER).glob(pattern)):
        name = file.relative_to(project.root / FOLDER).as_posix()
        note = f"\nINSERT INTO \"{table}\" (name) VALUES ('{name}');"
        project.account.post(path, {"sql": file.read_text() + note})


def declare(project: Project, line: str) -> None:
    project.edit(
        "Pulumi.yaml",
        "        workflows:\n",
        f"        databases:\n          SHOP: {line}\n        workflows:\n",
    )


def test_two_files_with_one_number_that_wrangler_applied_are_known_by_name(
    project: Project,
) -> None:
    declare(project, "{name: shop}")
    project.open_stack().up()
    write(
        project,
        m0001_a="CREATE TABLE a (id INTEGER PRIMARY KEY);\n",
        m0002_left="ALTER TABLE a ADD COLUMN l TEXT;\n",
        m0002_right="ALTER TABLE a ADD COLUMN r TEXT;\n",
    )
    apply_as_wrangler(project, "shop")
    project.edit("Pulumi.yaml", "{name: shop}", f"{{name: shop, migrations: {FOLDER}}}")
    names = ["0001_a.sql", "0002_left.sql", "0002_right.sql"]
    assert states(project) == dict.fromkeys(names, ("applied", "wrangler"))
    project.open_stack().up()
    assert states(project) == dict.fromkeys(names, ("applied", "flowflare"))
    assert project.open_stack().preview().changed == 0
    tracking, shop = json.loads(run_migrations(project, "status", "--all", "--json").out)
    assert tracking["database"].endswith("flowflare-db")
    assert [file["name"] for file in shop["files"]] == names

    # Two branches are merged: the file that sorts before applied ones runs late, with a warning.
    write(project, m0001_b="CREATE TABLE b (id INTEGER PRIMARY KEY);\n")
    write(project, m0046_gap="CREATE TABLE c (id INTEGER PRIMARY KEY);\n")
    linted = run_migrations(project, "lint", *CLIENT, "--pending")
    assert linted.code == 0
    assert "0001_b.sql:1: warning: out-of-order" in linted.out
    assert "0001_b.sql:1: warning: number-used-twice" in linted.out
    assert "0002_right.sql" not in linted.out.replace("0002_right.sql was applied", "")
    project.open_stack().up()
    assert set(states(project).values()) == {("applied", "flowflare")}
    assert list(states(project)) == [names[0], "0001_b.sql", *names[1:], "0046_gap.sql"]
    assert project.open_stack().preview().changed == 0


REBUILD = """\
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_note` (`id` text PRIMARY KEY NOT NULL, `body` text);
--> statement-breakpoint
INSERT INTO `__new_note`("id", "body") SELECT "id", "body" FROM `note`;--> statement-breakpoint
DROP TABLE `note`;--> statement-breakpoint
ALTER TABLE `__new_note` RENAME TO `note`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
DROP TABLE `draft`;--> statement-breakpoint
ALTER TABLE `note` ADD `owner` text NOT NULL;
"""


def test_one_folder_serves_a_production_that_has_its_files_and_a_new_stack(
    project: Project,
) -> None:
    declare(project, "{}")
    project.open_stack().up()
    first = "CREATE TABLE `note` (`id` text PRIMARY KEY NOT NULL, `body` text NOT NULL);\n"
    write(project, m0000_red_fox=first + "CREATE TABLE draft (id text);\n", m0001_blue_owl=REBUILD)
    apply_as_wrangler(project, "local-flowflare-orders-shop")
    project.edit("Pulumi.yaml", "SHOP: {}", f"SHOP: {{migrations: {FOLDER}}}")
    project.open_stack().up()

    # A new tenant has no rows to lose, so the same files run there as they are.
    shutil.copy(project.root / "Pulumi.local.yaml", project.root / "Pulumi.fresh.yaml")
    fresh = open_embedded(project.root, "fresh", api=UNCOUNTED)
    assert fresh.preview().changed > 0
    fresh.up()
    assert set(states(project, "fresh").values()) == {("applied", "flowflare")}

    # A comment that accepts a finding does not edit the file, for either stack.
    reason = "-- flowflare: accept drop-table: drafts were never released\n"
    file = project.root / FOLDER / "0001_blue_owl.sql"
    file.write_text(REBUILD.replace("DROP TABLE `draft`", f"{reason}DROP TABLE `draft`"))
    for stack in (project.open_stack(), fresh):
        assert stack.preview().changed == 0
        stack.up()
    assert set(states(project).values()) == {("applied", "flowflare")}
    file.write_text(REBUILD.replace("`owner` text", "`author` text"))
    assert states(project)["0001_blue_owl.sql"] == ("edited", "flowflare")


def test_a_file_that_cannot_run_on_an_empty_database_is_refused_before_anything_runs(
    project: Project,
) -> None:
    declare(project, "{name: shop}")
    project.open_stack().up()
    write(project, m0001_a="CREATE TABLE a (id INTEGER);\n", m0002_b="ALTER TABLE b ADD c TEXT;\n")
    project.edit("Pulumi.yaml", "{name: shop}", f"{{name: shop, migrations: {FOLDER}}}")
    failure, *_skipped = project.open_stack().preview().failures
    assert "0002_b.sql:1: does-not-apply: after the earlier files" in failure.reason
    # The database may have a table that no file creates.
    uuid = project.account.get("/d1/database/shop")["uuid"]
    project.account.post(f"/d1/database/{uuid}/query", {"sql": "CREATE TABLE b (id INTEGER);"})
    assert not project.open_stack().preview().failures


def test_a_folder_in_which_nothing_is_a_migration_says_so(tmp_path: Path) -> None:
    (tmp_path / "0001_create.SQL").write_text("CREATE TABLE a (id);")
    answer = flowflare("migrations", "lint", "--folder", str(tmp_path))
    assert answer.code == 0
    words = "nothing here is a migration (*.sql or */migration.sql). It has 0001_create.SQL."
    assert words in " ".join(answer.err.split())


def test_the_table_and_the_pattern_of_a_wrangler_configuration_are_used(project: Project) -> None:
    declare(project, "{name: shop}")
    project.open_stack().up()
    for number, sql in enumerate(["CREATE TABLE a (id INTEGER);", "CREATE TABLE b (id INTEGER);"]):
        folder = project.root / FOLDER / "drizzle" / f"000{number}_step"
        folder.mkdir(parents=True)
        (folder / "migration.sql").write_text(sql)
        (folder / "down.sql").write_text("DROP TABLE nothing;")
    apply_as_wrangler(project, "shop", pattern="drizzle/0000*/migration.sql", table="My applied")
    keys = f"migrations: {FOLDER}, migrationsPattern: '{FOLDER}/**/migration.sql'"
    keys = f"{{name: shop, {keys}, migrationsTable: My applied}}"
    project.edit("Pulumi.yaml", "{name: shop}", keys)
    names = [f"drizzle/000{number}_step/migration.sql" for number in (0, 1)]
    assert states(project) == {names[0]: ("applied", "wrangler"), names[1]: ("pending", None)}
    project.open_stack().up()
    assert states(project) == dict.fromkeys(names, ("applied", "flowflare"))
    drift = flowflare("drift", "--cwd", str(project.root))
    assert drift.code == 0, drift.out

    # wrangler's default again: the rows move with it, and no file runs a second time.
    project.edit("Pulumi.yaml", ", migrationsTable: My applied", "")
    project.open_stack().up()
    assert states(project) == dict.fromkeys(names, ("applied", "flowflare"))
    assert project.open_stack().preview().changed == 0
    assert flowflare("drift", "--cwd", str(project.root)).code == 0


def test_a_folder_where_the_pattern_finds_nothing_says_so(project: Project) -> None:
    write(project, m0001_a="CREATE TABLE a (id INTEGER);\n")
    keys = f"migrations: {FOLDER}, migrationsPattern: '{FOLDER}/*/migration.sql'"
    declare(project, f"{{name: shop, {keys}}}")
    linted = run_migrations(project, "lint", *CLIENT)
    assert "nothing here is a migration (*/migration.sql). It has 0001_a.sql" in linted.err
