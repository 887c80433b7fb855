"""Register a custom domain of a script."""

import pulumi

from flowflare.kinds.cloudflare import WorkersCustomDomain
from flowflare.model.worker import DomainSpec


def declare_domain(
    name: str, account_id: str, domain: DomainSpec, script_name: str, opts: pulumi.ResourceOptions
) -> WorkersCustomDomain:
    """Declare a `WorkersCustomDomain`, whose resource name is `name` and the hostname."""
    first = pulumi.ResourceOptions(delete_before_replace=True)
    return WorkersCustomDomain(
        f"{name}-domain-{domain.hostname}",
        account_id=account_id,
        zone_id=domain.zone_id,
        hostname=domain.hostname,
        service=script_name,
        opts=pulumi.ResourceOptions.merge(opts, first),
    )
