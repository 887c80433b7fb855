"""Find the cron triggers of a live script."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted
from flowflare.kinds.spelling import from_api


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the cron triggers of a live script, in any order."""
    del findings
    name = wanted.text("scriptName")
    if name not in account.scripts():
        return None
    live = sorted(account.schedules(name))
    declared = sorted(str(schedule["cron"]) for schedule in wanted.inputs.get("schedules") or ())
    inputs, found = dict(wanted.inputs), list[Difference]()
    if live != declared:
        inputs["schedules"] = [{"cron": cron} for cron in live]
        found = [Difference(path="schedules", declared=declared, account=live)]
    outputs = {**inputs, "schedules": from_api(list(account.cron_triggers(name)))}
    return Thing(name, inputs, outputs, name, found)
