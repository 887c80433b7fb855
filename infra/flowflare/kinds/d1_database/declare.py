"""Register a D1 database without managing its read replication."""

import pulumi

from flowflare.kinds.cloudflare import D1Database
from flowflare.model.client import DatabaseSpec


def declare_database(
    name: str, account_id: str, database: DatabaseSpec, opts: pulumi.ResourceOptions
) -> D1Database:
    """Declare a `D1Database`."""
    # A refresh writes `readReplication` into state. The plugin (Terraform provider 5.22) then plans
    # to reset what the program does not set, with `read_replication: null`, which Cloudflare
    # refuses (400, code 7400; cloudflare/terraform-provider-cloudflare#6309). It is ignored rather
    # than set, so that replicas which were switched on elsewhere stay on.
    ignored = pulumi.ResourceOptions(ignore_changes=["readReplication"])
    return D1Database(
        name,
        account_id=account_id,
        name=database.database_name,
        primary_location_hint=database.location_hint,
        jurisdiction=database.jurisdiction,
        opts=pulumi.ResourceOptions.merge(opts, ignored),
    )
