"""Finds Workflows, whichever class they are tied to."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.found import take_live
from flowflare.kinds.spelling import picked
from flowflare.kinds.workflow.apply import COMPUTED


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The Workflow of that name, whichever class it is tied to."""
    del findings
    name = wanted.text("workflowName")
    row = account.workflows().get(name)
    if row is None:
        return None
    inputs, found = take_live(
        wanted, {"className": row.get("class_name"), "scriptName": row.get("script_name")}
    )
    return Thing(name, inputs, {**picked(row, COMPUTED), **inputs}, name, found)
