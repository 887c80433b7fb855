"""Plan a stack of the Pulumi CLI without the CLI: record its program against its own state.

The CLI shows a whole list as secret if one item is secret, and needs Cloudflare's plugin. This plan
is the embedded engine's: property by property, binding by binding, without calls to Cloudflare.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowflare.config.files import Project
from flowflare.engine.embedded.plan_over import plan_over
from flowflare.engine.pulumi_cli.state import Export, read_deployment
from flowflare.errors import FlowflareError
from flowflare.kinds import cron_cleanup
from flowflare.values.events import OnEvent, Plan, Step

if TYPE_CHECKING:
    from flowflare.engine.plan_facts import Observe
    from flowflare.engine.pulumi_cli.translate import Translator


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


def preview_and_record(
    project: Project,
    environ: Mapping[str, str],
    export: Export,
    operate: "Callable[..., Translator]",
    observe: "Observe",
) -> "tuple[Translator, Plan | None]":
    """Preview by the CLI, and record the program while it runs.

    Args:
        export: runs `pulumi stack export --show-secrets`.
        operate: runs the CLI's preview, with the program that `served` and `client` name.
        observe: takes what the recording was made of, with its secrets.

    Returns:
        The run of the CLI, and the recording's plan; None if the program cannot be recorded, such
        as for secrets that only the CLI can open.
    """
    from flowflare.engine.pulumi_cli.served import ServedProgram

    ended: list[Translator] = []
    served = ServedProgram(
        lambda address: ended.append(operate(served=served, client=address)), environ
    )
    if project.shared.runtime_options.get("virtualenv"):
        run = operate()  # the program needs the Python of that environment
        with contextlib.suppress(FlowflareError):
            return run, recorded_plan(project, environ, export=export, observe=observe)
        return run, None
    plan: Plan | None = None
    try:
        deployment = read_deployment(project, environ, export)
        plan = plan_over(project, deployment, environ, run_program=served.run, observe=observe)
    except FlowflareError:
        if served.started and not ended:
            raise
    if not served.started:
        return operate(), None
    return ended[0], plan if served.recorded else None


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
