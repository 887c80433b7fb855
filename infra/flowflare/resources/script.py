"""Declare a Worker's script with its URL, routes, custom domains and cron triggers.

Defaults of the API are set explicitly, so that a `refresh` finds nothing that the program does not
declare.
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
    """Declare a `WorkersScript`.

    Args:
        name: the resource's name.
        account_id: the account.
        spec: the Worker.
        rendered: the Worker's code.
        bindings: the Worker's bindings, sorted by name.
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
        # Without `strict`, a script without an inherited binding would deploy, and fail at run
        # time.
        bindings_inherit="strict" if any(each.type == "inherit" for each in bindings) else None,
        limits=_make_limits(spec),
        placement=_make_placement(spec),
        observability=_make_observability(spec.observability),
        logpush=spec.logpush,
        # An empty list instead of None: the provider keeps properties that are not set.
        tail_consumers=[
            cloudflare.WorkersScriptTailConsumerArgs(service=service)
            for service in spec.tail_consumers
        ],
        usage_model="standard",
        # Only the service is deleted while other scripts still bind it; force deletes those
        # bindings.
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
    """Declare the subdomain of a script and return the URL; None if it is switched off."""
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
    """Declare the cron triggers of a Worker, and a cleanup that clears them when both are removed.

    The cleanup is declared first, so that it is deleted last: after a run killed between the two
    deletions, state still records that there are triggers to clear. A Worker without `crons` has
    neither, and keeps triggers that were set elsewhere.
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
    """Declare the routes and custom domains of a Worker, each named by its address.

    With numbers as names, removing one route would replace every route after it.
    """
    for route in spec.routes:
        cloudflare.WorkersRoute(
            f"{name}-route-{route.pattern}",
            zone_id=route.zone_id,
            pattern=route.pattern,
            script=spec.script_name,
            # Cloudflare allows a pattern only once, so the old route is deleted first.
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


def _make_limits(spec: ServiceSpec | ClientSpec) -> Any:
    if spec.limits is None:
        return None
    return cloudflare.WorkersScriptLimitsArgs(**spec.limits.model_dump(exclude_none=True))


def _make_placement(spec: ServiceSpec | ClientSpec) -> Any:
    if spec.placement is None:
        return None
    return cloudflare.WorkersScriptPlacementArgs(**spec.placement.model_dump(exclude_none=True))


def _make_observability(spec: ObservabilitySpec) -> Any:
    if not spec.enabled:
        return cloudflare.WorkersScriptObservabilityArgs(enabled=False)
    logs = cloudflare.WorkersScriptObservabilityLogsArgs(
        **_drop_default_rate(spec.logs.model_dump())
    )
    traces = None
    if spec.traces is not None:
        given = _drop_default_rate(spec.traces.model_dump())
        traces = cloudflare.WorkersScriptObservabilityTracesArgs(**given)
    return cloudflare.WorkersScriptObservabilityArgs(
        enabled=True, head_sampling_rate=spec.head_sampling_rate, logs=logs, traces=traces
    )


def _drop_default_rate(given: dict[str, Any]) -> dict[str, Any]:
    """Remove a rate of 1, which is Cloudflare's default."""
    return {key: value for key, value in given.items() if (key, value) != (_RATE, 1)}
