"""wrangler's `migrations_pattern` finds the same files here.

The patterns are compared with minimatch, which wrangler matches them with; npm brings a copy.
"""

import json
import subprocess
from pathlib import Path

import pytest

from flowflare.errors import MigrationError
from flowflare.migrations.files import read_migrations
from flowflare.migrations.patterns import compile_pattern
from tests.emulator.emulated import NODE

PATTERNS = [
    *("*.sql", "*/migration.sql", "**/*.sql", "**/migration.sql", "a/**/b.sql", "**"),
    *("000?_*.sql", "[0-9]*.sql", "[!0-9]*.sql", "{up,down}/*.sql", "{a,b/c}.sql", "{a}.sql"),
    *(
        "*",
        "*/*",
        "**/x*/*.sql",
        "a.b/*.sql",
        "[a-c]x.sql",
        "x+y(1).sql",
        "a**b.sql",
        "?.sql",
        "a/**",
        "x**",
    ),
]
NAMES = [
    *("0001_a.sql", "a.sql", ".a.sql", "x/migration.sql", "x/y/migration.sql", ".x/migration.sql"),
    *("a/b.sql", "a/c/b.sql", "a/c/d/b.sql", "a/.c/b.sql", "up/1.sql", "down/1.sql", "b/c.sql"),
    *("{a}.sql", "xx/a.sql", "y/xx/a.sql", "a.b/c.sql", "axb/c.sql", "bx.sql", "x+y(1).sql"),
    *("ab.sql", "axxb.sql", "a/x/b.sql", "A.sql", "a.SQL", "migration.sql", "x/.sql"),
]
MATCH = """\
const { createRequire } = require('node:module');
const [npm, patterns, names] = JSON.parse(process.argv[1]);
const { Minimatch } = createRequire(npm)('minimatch');
console.log(JSON.stringify(patterns.map((pattern) => {
  const found = new Minimatch(pattern, { dot: false });
  return names.filter((name) => found.match(name));
})));
"""


@pytest.fixture(scope="module")
def minimatch_names() -> dict[str, list[str]]:
    """Return the names that minimatch finds for each pattern."""
    npm = Path(NODE).parents[1] / "lib" / "node_modules" / "npm" / "index.js"
    request = json.dumps([str(npm), PATTERNS, NAMES])
    done = subprocess.run([NODE, "-e", MATCH, request], capture_output=True, text=True, check=True)
    return dict(zip(PATTERNS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_as_in_wrangler(
    pattern: str, minimatch_names: dict[str, list[str]]
) -> None:
    found = compile_pattern(pattern)
    assert [name for name in NAMES if found.fullmatch(name)] == minimatch_names[pattern]


@pytest.mark.parametrize("pattern", ["!a.sql", "+(a|b).sql", "a\\*.sql", "@(a).sql"])
def test_other_features_of_minimatch_are_refused(pattern: str) -> None:
    with pytest.raises(MigrationError, match="is not a pattern that Flowflare reads"):
        compile_pattern(pattern)


def test_files_of_folders_come_in_wranglers_order(tmp_path: Path) -> None:
    for name in ("10_b/migration.sql", "2_a/migration.sql", "2_a/.x.sql", "2_a/notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("SELECT 1;\n")
    found = [file.name for file in read_migrations(tmp_path, "**/*.sql")]
    assert found == ["2_a/migration.sql", "10_b/migration.sql"]


def test_a_folder_where_nothing_matches_has_no_migrations(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("SELECT 1;\n")
    assert read_migrations(tmp_path, "*/migration.sql") == ()
