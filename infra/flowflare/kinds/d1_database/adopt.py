"""Finds D1 databases by their exact name."""

from typing import Final

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.d1_database.apply import COMPUTED
from flowflare.kinds.spelling import picked

# What only a new database could have otherwise.
_FIXED: Final = ("jurisdiction",)


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The database of exactly that name."""
    name = wanted.text("name")
    row = account.database_named(name)
    if row is None:
        return None
    for key in _FIXED:
        declared, live = wanted.inputs.get(key), row.get(key)
        if live != declared and (live or key in row):
            findings.refuse(
                f"D1 database {name}: its {key} is {live or 'none'}, the program says "
                f"{declared or 'none'}",
                "It never changes. Write what it is into the configuration.",
            )
    identity = str(row["uuid"])
    return Thing(
        identity,
        dict(wanted.inputs),
        {**picked(row, COMPUTED), **wanted.inputs},
        name,
    )
