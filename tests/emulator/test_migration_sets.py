"""Folders of migrations in the shapes of drizzle-kit, Prisma, kysely and by hand.

Each is applied by `wrangler d1 migrations apply --local` and by us, and the databases are compared.
FLOWFLARE_MIGRATION_SETS is another folder of such folders.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from flowflare.api import Connector, Pace
from flowflare.errors import MigrationError
from flowflare.migrations.apply import migrate
from flowflare.migrations.baseline import normalise, read_objects
from flowflare.migrations.files import read_migrations
from flowflare.migrations.findings import judge_for_empty
from flowflare.migrations.ledger import RemoteDatabase, read_ledger
from flowflare.migrations.lint import lint
from flowflare.migrations.schema import OBJECTS
from tests.emulator.emulated import NODE, NODE_MODULES, Account
from tests.support.tiers import keep_every
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.workerd

SETS = Path(os.environ.get("FLOWFLARE_MIGRATION_SETS", Path(__file__).parent / "migration_sets"))
WRANGLER = NODE_MODULES / "wrangler" / "bin" / "wrangler.js"
UNCOUNTED = Connector(Pace(calls=1_000_000))

Objects = dict[tuple[str, str], tuple[str, ...]]


def apply_with_wrangler(root: Path, folder: Path) -> tuple[list[str], Objects, str]:
    """Return the names that wrangler applied, what they created, and what it printed last."""
    shutil.copytree(folder, root / "migrations")
    is_nested = not list(folder.glob("*.sql"))
    database = {
        "binding": "DB",
        "database_name": "db",
        "database_id": "db",
        "migrations_dir": "migrations",
        "migrations_pattern": f"migrations/{'*/migration.sql' if is_nested else '*.sql'}",
    }
    config = {"name": "app", "compatibility_date": "2026-11-01", "d1_databases": [database]}
    (root / "wrangler.json").write_text(json.dumps(config))
    done = subprocess.run(
        [NODE, WRANGLER, "d1", "migrations", "apply", "DB", "--local"],
        cwd=root,
        env={
            "PATH": os.defpath,
            "HOME": str(root),
            "CI": "true",
            "WRANGLER_SEND_METRICS": "false",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE * (len(list(folder.iterdir())) + 1),  # a workerd for each
        check=False,
    )
    files = [
        file
        for file in root.glob(".wrangler/state/v3/d1/**/*.sqlite")
        if not file.name.startswith("metadata")
    ]
    assert files, done.stdout + done.stderr
    with closing(sqlite3.connect(files[0])) as live:
        names = [row[0] for row in live.execute("SELECT name FROM d1_migrations ORDER BY id")]
        rows = live.execute(OBJECTS).fetchall()
    created = {(kind, name): normalise(sql) for kind, name, _, sql in rows if sql}
    return names, created, "" if done.returncode == 0 else done.stderr[-300:]


def apply_with_flowflare(account: Account, folder: Path) -> tuple[list[str], Objects, str]:
    """Return the same of the files that `up` applies to a new database."""
    running = account.running
    client = UNCOUNTED.open(running.base_url, running.token)
    database = RemoteDatabase(client, account.id, account.database("db"))
    files = read_migrations(folder)
    problem = "; ".join(str(each) for each in judge_for_empty(lint(files)) if each.stops)
    try:
        migrate(database, files)
    except MigrationError as error:
        problem = error.message
    names = [row.name for row in read_ledger(database)]
    created = {key: normalise(sql) for key, sql in read_objects(database).items()}
    return names, created, problem


@pytest.mark.parametrize(
    "folder", keep_every(6, sorted(SETS.iterdir())), ids=lambda folder: folder.name
)
def test_a_folder_gives_the_database_that_wrangler_gives(
    account: Account, tmp_path: Path, folder: Path
) -> None:
    theirs, created, failure = apply_with_wrangler(tmp_path, folder)
    ours, objects, problem = apply_with_flowflare(account, folder)
    keys = {*created, *objects}
    differences = sorted(key for key in keys if created.get(key) != objects.get(key))
    assert (failure, problem, differences) == ("", "", [])
    assert ours == theirs
