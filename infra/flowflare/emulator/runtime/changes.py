"""List the changes of an account that the Node child does not know; SQLite records them.

Triggers on the emulator's connection record inserts, updates and deletes. The cost of publishing a
change therefore does not depend on how many scripts the account has.
"""

from flowflare.emulator.database import Database

# The items that a row belongs to, by table; `row` is replaced by the row before and after a change.
_ITEMS = {
    "scripts": ("'script/' || row.name",),
    "namespaces": ("'script/' || row.script",),
    "ports": ("'script/' || row.script",),
    "routes": ("'script/' || row.script",),
    "domains": ("'script/' || row.script",),
    "workflows": ("'workflow/' || row.name", "'script/' || row.script"),
    "consumers": ("'script/' || row.script",),
    "tails": ("'script/' || row.script",),
    "databases": ("'database/' || row.uuid",),
    "targets": (
        "'target/' || row.kind || '/' || row.id",
        "'target/' || row.kind || '/' || row.name",
    ),
}
_ROWS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


class Changes:
    """Hold the changed items of all accounts.

    Args:
        database: the emulator's file, whose changes are recorded from now on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.run(
            "CREATE TEMP TABLE changes (number INTEGER PRIMARY KEY, account TEXT, item TEXT)"
        )
        for table, items in _ITEMS.items():
            for event, rows in _ROWS.items():
                writes = "".join(
                    f"INSERT INTO changes (account, item) SELECT {row}.account, "
                    f"{item.replace('row.', f'{row}.')} WHERE {row}.account IS NOT NULL "
                    f"AND {item.replace('row.', f'{row}.')} IS NOT NULL;"
                    for row in rows
                    for item in items
                )
                database.run(
                    f"CREATE TEMP TRIGGER changes_{table}_{event} "
                    f"AFTER {event} ON main.{table} BEGIN {writes} END"
                )

    def of(self, account: str) -> tuple[int, set[str]]:
        """Return an account's changed items, and the number to pass to `forget`.

        An item is `script/`, `workflow/` or `database/` with a name or ID, or `target/` with the
        target's kind and its name or ID in bindings.
        """
        rows = self._database.rows(
            "SELECT number, item FROM changes WHERE account = ? ORDER BY number", account
        )
        return rows[-1]["number"] if rows else 0, {row["item"] for row in rows}

    def forget(self, account: str, number: int) -> None:
        """Remove the changes up to a number, because the child knows them."""
        self._database.run("DELETE FROM changes WHERE account = ? AND number <= ?", account, number)
