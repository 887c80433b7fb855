"""The page about migrations: the linter's rules, existing commands, and valid SQL."""

import re
import shlex
from pathlib import Path

from flowflare.cli.app import app
from flowflare.migrations.files import make_migration
from flowflare.migrations.findings import RULES
from flowflare.migrations.lint import lint

PAGE = (Path(__file__).parent.parent.parent / "docs" / "how-to" / "migrations.md").read_text()
TABLES = """\
CREATE TABLE old_items (id INTEGER PRIMARY KEY);
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE lines (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items (id) ON DELETE CASCADE);
CREATE INDEX lines_item ON lines (item);
"""


def test_the_table_has_every_rule() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(name, rule.severity, rule.about) for name, rule in RULES.items()]


def test_its_commands_exist() -> None:
    import typer

    group = typer.main.get_command(app)
    lines = re.findall(r"^    flowflare (.+)$", PAGE, re.MULTILINE)
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(line)
        command, context = (
            group,
            group.make_context("flowflare", list(words), resilient_parsing=True),
        )
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        command.make_context(line, words, parent=context)


def test_its_sql_passes_the_linter() -> None:
    before = make_migration("0001_before.sql", TABLES)
    blocks = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        found = lint([before, make_migration("0002_block.sql", block)], applied=1)
        assert [finding.rule for finding in found if finding.accepted is None] == []
