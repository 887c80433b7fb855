"""Finds the URL of a script at workers.dev."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The URL of a script that answers at workers.dev; another one is made by the next `up`."""
    del findings
    name = wanted.text("script_name")
    if name not in account.scripts() or not account.subdomain(name).get("enabled"):
        return None
    made = wanted.handler.create(wanted.inputs)
    return Thing(made.id, wanted.inputs, made.outputs, name)
