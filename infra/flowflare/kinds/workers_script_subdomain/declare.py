"""Register whether a script has a workers.dev URL."""

import pulumi

from flowflare.kinds.cloudflare import WorkersScriptSubdomain
from flowflare.model.worker import WorkerSpec


def declare_subdomain(
    name: str, account_id: str, spec: WorkerSpec, opts: pulumi.ResourceOptions
) -> WorkersScriptSubdomain:
    """Declare a `WorkersScriptSubdomain`; `name` is the Worker's part of the resource's name."""
    return WorkersScriptSubdomain(
        f"{name}-subdomain",
        account_id=account_id,
        script_name=spec.script_name,
        enabled=spec.workers_dev,
        previews_enabled=False,
        opts=opts,
    )
