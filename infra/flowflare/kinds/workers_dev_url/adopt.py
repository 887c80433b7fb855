"""Find the workers.dev URL of a script."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the URL of a script that is enabled at workers.dev; None if it is not enabled."""
    del findings
    name = wanted.text("script_name")
    if name not in account.scripts() or not account.subdomain(name).get("enabled"):
        return None
    made = wanted.handler.create(wanted.inputs)
    return Thing(made.id, wanted.inputs, made.outputs, name)
