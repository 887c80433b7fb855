"""Which things of an account changed since the Node child was told: SQLite itself keeps the list.

Triggers of the emulator's connection write down what is inserted, changed and deleted, so that
telling a change costs the same however many scripts the account has.
"""

from flowflare.emulator.database import Database

# What a row is the thing of, by table; `row` stands for the row before and after.
_THINGS = {
    "scripts": ("'script/' || row.name",),
    "namespaces": ("'script/' || row.script",),
    "ports": ("'script/' || row.script",),
    "routes": ("'script/' || row.script",),
    "domains": ("'script/' || row.script",),
    "workflows": ("'workflow/' || row.name", "'script/' || row.script"),
    "databases": ("'database/' || row.uuid",),
    "targets": (
        "'target/' || row.kind || '/' || row.id",
        "'target/' || row.kind || '/' || row.name",
    ),
}
_ROWS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


class Changes:
    """What changed, by account.

    Args:
        database: the emulator's file, whose changes are written down from now on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.run(
            "CREATE TEMP TABLE changes (number INTEGER PRIMARY KEY, account TEXT, thing TEXT)"
        )
        for table, things in _THINGS.items():
            for event, rows in _ROWS.items():
                writes = "".join(
                    f"INSERT INTO changes (account, thing) SELECT {row}.account, "
                    f"{thing.replace('row.', f'{row}.')} WHERE {row}.account IS NOT NULL;"
                    for row in rows
                    for thing in things
                )
                database.run(
                    f"CREATE TEMP TRIGGER changes_{table}_{event} "
                    f"AFTER {event} ON main.{table} BEGIN {writes} END"
                )

    def of(self, account: str) -> tuple[int, set[str]]:
        """What changed of an account: a number to forget it by, and the things.

        A thing is `script/`, `workflow/` or `database/` with its name or id, or `target/` with its
        kind and what bindings call it.
        """
        rows = self._database.rows(
            "SELECT number, thing FROM changes WHERE account = ? ORDER BY number", account
        )
        return rows[-1]["number"] if rows else 0, {row["thing"] for row in rows}

    def forget(self, account: str, number: int) -> None:
        """Drops what changed until that number: the child knows it."""
        self._database.run("DELETE FROM changes WHERE account = ? AND number <= ?", account, number)
