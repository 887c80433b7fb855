"""One Worker's script with what belongs to it: its URL, routes, custom domains, cron triggers.

What the API fills in by itself is set here explicitly, so that a `refresh` finds nothing that the
program does not say.
"""

from collections.abc import Sequence
from typing import Any

import pulumi

from flowflare.kinds import cloudflare
from flowflare.model.client import ClientSpec
from flowflare.model.stack import ServiceSpec
from flowflare.model.worker import ObservabilitySpec
from flowflare.render.worker import RenderedWorker
from flowflare.resources.dynamic import CronCleanup, WorkersDevUrl

_RATE = "head_sampling_rate"


def declare_script(
    name: str,
    *,
    account_id: str,
    spec: ServiceSpec | ClientSpec,
    rendered: RenderedWorker,
    bindings: Sequence[Any],
    opts: pulumi.ResourceOptions,
) -> Any:
    """Declares a `WorkersScript`.

    Args:
        name: the resource's name.
        account_id: the account.
        spec: the Worker.
        rendered: its code.
        bindings: what it binds, sorted by name.
        opts: Pulumi's options.
    """
    return cloudflare.WorkersScript(
        name,
        account_id=account_id,
        script_name=spec.script_name,
        main_module=rendered.main_module,
        content=rendered.content,
        bindings=list(bindings),
        compatibility_date=spec.compatibility_date,
        compatibility_flags=list(spec.compatibility_flags),
        # Without a binding that it keeps, a script would run and fail where it is used.
        bindings_inherit="strict" if any(one.type == "inherit" for one in bindings) else None,
        limits=_limits(spec),
        placement=_placement(spec),
        observability=_observability(spec.observability),
        logpush=spec.logpush,
        # An empty list, not none: what is only left out, the provider keeps as it was.
        tail_consumers=[
            cloudflare.WorkersScriptTailConsumerArgs(service=service)
            for service in spec.tail_consumers
        ],
        usage_model="standard",
        # Only the service is deleted while others still bind it; force deletes those bindings.
        force=isinstance(spec, ServiceSpec),
        opts=opts,
    )


def declare_url(
    name: str,
    *,
    account_id: str,
    script: Any,
    spec: ServiceSpec | ClientSpec,
    parent: pulumi.Resource,
) -> pulumi.Output[str | None]:
    """Declares the subdomain of a script; returns its URL, None when it is switched off."""
    subdomain = cloudflare.WorkersScriptSubdomain(
        f"{name}-subdomain",
        account_id=account_id,
        script_name=spec.script_name,
        enabled=spec.workers_dev,
        previews_enabled=False,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[script]),
    )
    if not spec.workers_dev:
        return pulumi.Output.from_input(None)
    url = WorkersDevUrl(
        f"{name}-url",
        account_id=account_id,
        script_name=spec.script_name,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[subdomain]),
    )
    return url.url


def declare_crons(
    name: str,
    *,
    account_id: str,
    script: Any,
    spec: ServiceSpec | ClientSpec,
    parent: pulumi.Resource,
) -> None:
    """Declare the cron triggers of a Worker, and what clears them when the program drops both.

    The cleanup comes first, so that it is deleted last: a run killed between the two deletions
    still knows of schedules to clear. A Worker without `crons` has neither, and keeps triggers
    that were set elsewhere.
    """
    if spec.crons is None:
        return
    before = [script]
    if spec.crons:
        cleanup = CronCleanup(
            f"{name}-cron-cleanup",
            account_id=account_id,
            script_name=spec.script_name,
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[script]),
        )
        before.append(cleanup)
    cloudflare.WorkersCronTrigger(
        f"{name}-crons",
        account_id=account_id,
        script_name=spec.script_name,
        schedules=[cloudflare.WorkersCronTriggerScheduleArgs(cron=cron) for cron in spec.crons],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=before),
    )


def declare_addresses(
    name: str,
    *,
    account_id: str,
    script: Any,
    spec: ServiceSpec | ClientSpec,
    parent: pulumi.Resource,
) -> None:
    """Declares the routes and custom domains of a Worker, each named by its own address.

    A number in the name would make another route of each one after a route that is taken out.
    """
    for route in spec.routes:
        cloudflare.WorkersRoute(
            f"{name}-route-{route.pattern}",
            zone_id=route.zone_id,
            pattern=route.pattern,
            script=spec.script_name,
            # Cloudflare has a pattern once: the old route goes first.
            opts=pulumi.ResourceOptions(
                parent=parent, depends_on=[script], delete_before_replace=True
            ),
        )
    for domain in spec.domains:
        cloudflare.WorkersCustomDomain(
            f"{name}-domain-{domain.hostname}",
            account_id=account_id,
            zone_id=domain.zone_id,
            hostname=domain.hostname,
            service=spec.script_name,
            opts=pulumi.ResourceOptions(
                parent=parent, depends_on=[script], delete_before_replace=True
            ),
        )


def _limits(spec: ServiceSpec | ClientSpec) -> Any:
    if spec.limits is None:
        return None
    return cloudflare.WorkersScriptLimitsArgs(**spec.limits.model_dump(exclude_none=True))


def _placement(spec: ServiceSpec | ClientSpec) -> Any:
    if spec.placement is None:
        return None
    return cloudflare.WorkersScriptPlacementArgs(**spec.placement.model_dump(exclude_none=True))


def _observability(spec: ObservabilitySpec) -> Any:
    if not spec.enabled:
        return cloudflare.WorkersScriptObservabilityArgs(enabled=False)
    logs = cloudflare.WorkersScriptObservabilityLogsArgs(**_rated(spec.logs.model_dump()))
    traces = None
    if spec.traces is not None:
        given = _rated(spec.traces.model_dump())
        traces = cloudflare.WorkersScriptObservabilityTracesArgs(**given)
    return cloudflare.WorkersScriptObservabilityArgs(
        enabled=True, head_sampling_rate=spec.head_sampling_rate, logs=logs, traces=traces
    )


def _rated(given: dict[str, Any]) -> dict[str, Any]:
    """Without a rate of 1, which is what Cloudflare has without one."""
    return {key: value for key, value in given.items() if (key, value) != (_RATE, 1)}
