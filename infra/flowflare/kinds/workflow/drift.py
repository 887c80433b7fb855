"""Compares the Workflows that run in scripts."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_found
from flowflare.kinds.scene import Scene, drifted, text
from flowflare.kinds.workflow import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the Workflows of a stack's scripts."""
    records = scene.of_kind(KIND)
    live = account.workflows()
    known = {text(one, "workflowName") for one in records}
    for one in records:
        there = live.get(text(one, "workflowName"))
        yield from compare_found(one, there, ("className", "scriptName"), KIND.name)
    for name, each in sorted(live.items()):
        if name not in known and each.get("script_name") in scene.scripts:
            script = scene.scripts[str(each["script_name"])]
            message = f"Workflow {name} runs in it, and state does not know it"
            yield drifted(script, "extra", message, path="workflows", account=name, action="remove")
