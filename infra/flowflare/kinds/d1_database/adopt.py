"""Find D1 databases by their exact name."""

from typing import Final

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.d1_database.apply import COMPUTED
from flowflare.kinds.spelling import pick_attributes

# Inputs that never change after the creation.
_FIXED: Final = ("jurisdiction",)


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the database of exactly that name."""
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
                "It never changes. Write the database's value into the configuration.",
            )
    identity = str(row["uuid"])
    return Thing(
        identity,
        dict(wanted.inputs),
        {**pick_attributes(row, COMPUTED), **wanted.inputs},
        name,
    )
