"""Find the script whose cron triggers are cleared later."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the script whose cron triggers are cleared later; clear nothing now."""
    del findings
    name = wanted.text("script_name")
    if name not in account.scripts():
        return None
    made = wanted.handler.create(wanted.inputs)
    return Thing(made.id, dict(wanted.inputs), made.outputs, name, status="kept")
