"""One Worker's script with what belongs to it: its subdomain, its URL, its cron triggers.

What the API fills in by itself is set here explicitly, so that a `refresh` finds nothing that the
program does not say.
"""

from collections.abc import Sequence
from typing import Any

import pulumi

from flowflare.model import ClientSpec, ServiceSpec
from flowflare.render.worker import RenderedWorker
from flowflare.resources import cloudflare
from flowflare.resources.dynamic import WorkersDevUrl


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
        observability=_observability(enabled=spec.observability.enabled),
        logpush=False,
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
    """Declares the cron triggers of a Worker, unless its configuration leaves them alone."""
    if spec.crons is None:
        return
    cloudflare.WorkersCronTrigger(
        f"{name}-crons",
        account_id=account_id,
        script_name=spec.script_name,
        schedules=[cloudflare.WorkersCronTriggerScheduleArgs(cron=cron) for cron in spec.crons],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[script]),
    )


def _observability(*, enabled: bool) -> Any:
    if not enabled:
        return cloudflare.WorkersScriptObservabilityArgs(enabled=False)
    logs = cloudflare.WorkersScriptObservabilityLogsArgs(enabled=True, invocation_logs=True)
    return cloudflare.WorkersScriptObservabilityArgs(enabled=True, head_sampling_rate=1, logs=logs)
