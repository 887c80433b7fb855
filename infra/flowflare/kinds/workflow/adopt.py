"""Find Workflows, of any class."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.found import take_live
from flowflare.kinds.spelling import pick_attributes
from flowflare.kinds.workflow.apply import COMPUTED


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the Workflow of that name, of any class."""
    del findings
    name = wanted.text("workflowName")
    row = account.workflows().get(name)
    if row is None:
        return None
    inputs, found = take_live(
        wanted, {"className": row.get("class_name"), "scriptName": row.get("script_name")}
    )
    return Thing(name, inputs, {**pick_attributes(row, COMPUTED), **inputs}, name, found)
