"""Declare a D1 database whose read replication the program leaves alone."""

import pulumi

from flowflare.kinds import cloudflare


def declare_database(
    name: str,
    *,
    account_id: str,
    database_name: str,
    location_hint: str | None = None,
    jurisdiction: str | None = None,
    opts: pulumi.ResourceOptions,
) -> cloudflare.D1Database:
    """Declare a `D1Database`.

    Args:
        name: the resource's name.
        account_id: the account.
        database_name: the database's name in the account.
        location_hint: where it is created, such as `weur`; None for near the caller.
        jurisdiction: where its data must stay, such as `eu`; None for anywhere.
        opts: Pulumi's options.
    """
    # A refresh writes `readReplication` into state. The plugin (Terraform provider 5.22) then plans
    # to reset what the program does not set, with `read_replication: null`, which Cloudflare
    # refuses (400, code 7400; cloudflare/terraform-provider-cloudflare#6309). It is ignored rather
    # than set, so that replicas which were switched on elsewhere stay on.
    ignored = pulumi.ResourceOptions(ignore_changes=["readReplication"])
    return cloudflare.D1Database(
        name,
        account_id=account_id,
        name=database_name,
        primary_location_hint=location_hint,
        jurisdiction=jurisdiction,
        opts=pulumi.ResourceOptions.merge(opts, ignored),
    )
