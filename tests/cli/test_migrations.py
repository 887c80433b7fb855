"""`flowflare migrations` without an API: files, options and the linter's output."""

import json
from pathlib import Path

import pytest

from tests.cli.command import CliResult, flowflare

CONFIG = """\
name: shop
runtime: python
config:
  flowflare:accountId: f10f1a4ef10f1a4ef10f1a4ef10f1a4e
  flowflare:clients:
    value:
      orders:
        source: orders.js
        databases:
          ONE:
            migrations: migrations/one
          TWO: {}
"""
LOSING = "-- two\n\nDELETE FROM items;\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(CONFIG)
    (tmp_path / "Pulumi.local.yaml").write_text("config: {}\n")
    return tmp_path


def run_migrations(project: Path, *words: str) -> CliResult:
    return flowflare("migrations", *words, "--cwd", str(project))


def write_losing_files(project: Path) -> Path:
    folder = project / "migrations/one"
    folder.mkdir(parents=True)
    (folder / "0001_items.sql").write_text("CREATE TABLE items (id INTEGER PRIMARY KEY);\n")
    (folder / "0002_none.sql").write_text(LOSING)
    return folder


def test_new_files_get_the_next_number(project: Path) -> None:
    words = ("--client", "orders", "--database", "ONE")
    made = [
        run_migrations(project, "new", name, *words).out.strip()
        for name in ("create items", "next")
    ]
    assert made == ["migrations/one/0001_create_items.sql", "migrations/one/0002_next.sql"]
    assert (project / made[1]).read_text().startswith("-- Migration number: 0002 \t ")


@pytest.mark.parametrize(
    ("words", "problem", "remedy"),
    [
        (("--client", "orders"), "matches several databases", "--client orders --database TWO."),
        (("--client", "nobody"), "does not match a database", "--database ONE; --client"),
        (("--database", "THREE"), "does not match a database", "--database ONE; --client"),
        (("--database", "TWO"), "database TWO of client orders has no folder", "migrations: "),
        ((), "the tracking database's migrations come with flowflare", "`flowflare:clients`"),
    ],
)
def test_the_options_must_name_exactly_one_database(
    project: Path, words: tuple[str, ...], problem: str, remedy: str
) -> None:
    refused = run_migrations(project, "new", "name", *words)
    assert refused.code == 1
    assert problem in refused.err
    assert remedy in refused.err


def test_the_linter_prints_place_rule_remedy_and_statement(project: Path) -> None:
    write_losing_files(project)
    found = run_migrations(project, "lint")
    assert found.code == 1
    assert found.out == (
        "migrations/one/0002_none.sql:3: error: delete-all\n"
        "  every row of items is deleted.\n"
        "  Add a WHERE. If this is intended, give a reason: "
        "`-- flowflare: accept delete-all: <reason>`\n"
        "  | DELETE FROM items;\n"
    )
    assert found.err.startswith("error: 1 error in the migrations\n")


def test_the_linter_needs_no_project_for_a_folder_and_writes_json(project: Path) -> None:
    folder = write_losing_files(project)
    found = flowflare("migrations", "lint", "--folder", str(folder), "--json")
    assert found.code == 1
    [finding] = json.loads(found.out)["findings"]
    assert (finding["rule"], finding["line"], finding["accepted"]) == ("delete-all", 3, None)
    assert finding["file"] == str(folder / "0002_none.sql")


def test_an_accepted_error_is_shown_and_is_not_a_failure(project: Path) -> None:
    accept = "-- flowflare: accept delete-all: they were test data\n"
    (write_losing_files(project) / "0002_none.sql").write_text(accept + LOSING)
    found = run_migrations(project, "lint", "--client", "orders", "--database", "ONE")
    assert found.code == 0
    assert "error: delete-all (accepted: they were test data)" in found.out
    assert found.out.endswith("\nNo errors, 0 warnings, 1 accepted.\n")


def test_restore_needs_exactly_one_target(project: Path) -> None:
    refused = run_migrations(project, "restore", "0001", "--bookmark", "x")
    assert refused.code == 2
    assert "give exactly one of FILE, --bookmark and --timestamp" in refused.err


def test_status_without_a_token_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN", raising=False)
    refused = run_migrations(project, "status")
    assert (refused.code, refused.out) == (1, "")
    assert "there is no API token for Cloudflare" in refused.err
