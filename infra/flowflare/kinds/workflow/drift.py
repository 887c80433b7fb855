"""Compare the Workflows of scripts."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_found
from flowflare.kinds.scene import Scene, make_finding, text
from flowflare.kinds.workflow import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in the Workflows of a stack's scripts."""
    records = scene.of_kind(KIND)
    live = account.workflows()
    known = {text(record, "workflowName") for record in records}
    for record in records:
        there = live.get(text(record, "workflowName"))
        yield from compare_found(record, there, ("className", "scriptName"), KIND.name)
    for name, live_workflow in sorted(live.items()):
        if name not in known and live_workflow.get("script_name") in scene.scripts:
            script = scene.scripts[str(live_workflow["script_name"])]
            message = f"Workflow {name} runs in it, but is not in state"
            yield make_finding(
                script, "extra", message, path="workflows", account=name, action="remove"
            )
