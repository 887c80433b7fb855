"""Registers a Worker's script.

Defaults of the API are set explicitly, so that a `refresh` finds nothing that the program does not
declare.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi

from flowflare.kinds import cloudflare
from flowflare.model.stack import ServiceSpec
from flowflare.model.worker import ObservabilitySpec, WorkerSpec

_RATE = "head_sampling_rate"


class Upload(TypedDict):
    """What every upload of a script needs: the address, the module and compatibility."""

    account_id: str
    script_name: str
    main_module: str
    content: str
    compatibility_date: str
    compatibility_flags: list[str]


def make_upload(account_id: str, spec: WorkerSpec, main_module: str, content: str) -> Upload:
    """Collect what every upload of a Worker's script needs."""
    return Upload(
        account_id=account_id,
        script_name=spec.script_name,
        main_module=main_module,
        content=content,
        compatibility_date=spec.compatibility_date,
        compatibility_flags=list(spec.compatibility_flags),
    )


def declare_script(
    name: str,
    *,
    upload: Upload,
    spec: WorkerSpec,
    bindings: Sequence[Any],
    opts: pulumi.ResourceOptions,
) -> cloudflare.WorkersScript:
    """Declare a `WorkersScript`; its bindings are `WorkersScriptBindingArgs`, sorted by name."""
    return cloudflare.WorkersScript(
        name,
        **upload,
        bindings=list(bindings),
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


def _make_limits(spec: WorkerSpec) -> Any:
    if spec.limits is None:
        return None
    return cloudflare.WorkersScriptLimitsArgs(**spec.limits.model_dump(exclude_none=True))


def _make_placement(spec: WorkerSpec) -> Any:
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
