"""Plans a stack of the Pulumi CLI without it: the program recorded against the stack's own state.

The CLI shows a whole list as secret where one item of it is, and needs Cloudflare's plugin. This
plan is the embedded engine's: property by property, binding by binding, and no call to Cloudflare.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flowflare.config.files import Project
from flowflare.engine.plan_over import plan_over
from flowflare.engine.pulumi.state import Export, read_deployment
from flowflare.state.cron_cleanups import CRON_CLEANUP
from flowflare.values.events import OnEvent, Plan, Step


def recorded_plan(
    project: Project,
    environ: Mapping[str, str],
    *,
    export: Export | None = None,
    on_event: OnEvent | None = None,
) -> Plan:
    """What `up` would do, by the program and the state alone.

    Args:
        project: the project seen through the stack.
        environ: the environment: where the state lies, the passphrase.
        export: runs `pulumi stack export --show-secrets`; None where there is no CLI, which does
            for a `file://` backend.
        on_event: is told each step.

    Raises:
        FlowflareError: the state cannot be read, a secret cannot be opened, or the program failed.
    """
    deployment = read_deployment(project, environ, export)
    return plan_over(project, deployment, environ, on_event=on_event)


def detailed(plan: Plan, recorded: Plan) -> Plan:
    """The CLI's plan with the details that the recorded one has of the same steps.

    The CLI decides what is done; where both say the same of a resource, the recorded step tells it
    by property and by binding. Of cron cleanups the recording knows more: `up` adds them to the
    state of an earlier version before the CLI starts.
    """
    known = {step.urn: step for step in recorded.steps}

    def told(step: Step) -> Step:
        other = known.get(step.urn)
        if other is None or other.op != step.op:
            return step
        fields: dict[str, Any] = {"old": other.old, "new": other.new, "outputs": other.outputs}
        found, note = other.changes or step.changes, other.note or step.note
        return replace(step, changes=found, note=note, **fields)

    steps = [told(step) for step in plan.steps if step.type != CRON_CLEANUP]
    cleanups = [step for step in recorded.steps if step.type == CRON_CLEANUP]
    return replace(plan, steps=(*steps, *cleanups))
