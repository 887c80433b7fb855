"""Plan a stack of the Pulumi CLI without the CLI: record its program against its own state.

The CLI shows a whole list as secret if one item is secret, and needs Cloudflare's plugin. This plan
is the embedded engine's: property by property, binding by binding, without calls to Cloudflare.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowflare.config.files import Project
from flowflare.engine.embedded.plan_over import plan_over
from flowflare.engine.pulumi_cli.state import Export, read_deployment
from flowflare.kinds import cron_cleanup
from flowflare.values.events import OnEvent, Plan, Step

if TYPE_CHECKING:
    from flowflare.engine.plan_facts import Observe


def recorded_plan(
    project: Project,
    environ: Mapping[str, str],
    *,
    export: Export | None = None,
    on_event: OnEvent | None = None,
    observe: "Observe | None" = None,
) -> Plan:
    """Plan what `up` would do from the program and the state only.

    Args:
        export: runs `pulumi stack export --show-secrets`; None without a CLI, which is enough for
            a `file://` backend.
        observe: takes what the plan was made of, with its secrets.

    Raises:
        FlowflareError: the state cannot be read, a secret cannot be opened, or the program failed.
    """
    deployment = read_deployment(project, environ, export)
    return plan_over(project, deployment, environ, on_event=on_event, observe=observe)


def add_details(plan: Plan, recorded: Plan) -> Plan:
    """Add the details of a recorded plan to the same steps of the CLI's plan.

    The CLI decides the operation. If both plans have the same operation for a resource, the changes
    by property and by binding come from the recording. Steps of cron cleanups all come from the
    recording: `up` adds them to the state of an earlier version before the CLI starts.
    """
    known = {step.urn: step for step in recorded.steps}

    def add_step_details(step: Step) -> Step:
        other = known.get(step.urn)
        if other is None or other.op != step.op:
            return step
        fields: dict[str, Any] = {"old": other.old, "new": other.new, "outputs": other.outputs}
        found, note = other.changes or step.changes, other.note or step.note
        return replace(step, changes=found, note=note, **fields)

    steps = [add_step_details(step) for step in plan.steps if step.type != cron_cleanup.KIND.type]
    cleanups = [step for step in recorded.steps if step.type == cron_cleanup.KIND.type]
    return replace(plan, steps=(*steps, *cleanups))
