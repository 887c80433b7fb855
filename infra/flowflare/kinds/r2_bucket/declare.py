"""Register a client's own R2 bucket."""

from collections.abc import Mapping
from typing import Any

import pulumi

from flowflare.kinds.cloudflare import R2Bucket
from flowflare.model.client import OwnSpec


def declare_bucket(
    name: str,
    own: OwnSpec,
    secrets: Mapping[str, Any],
    account_id: str,
    opts: pulumi.ResourceOptions,
) -> R2Bucket:
    """Declare an `R2Bucket`."""
    del secrets  # none of its settings is one
    settings: Any = own.settings
    return R2Bucket(
        name,
        account_id=account_id,
        name=own.name,
        location=settings.get("location"),
        # Explicit, so that a later `up`, also after `refresh`, changes nothing.
        storage_class=settings.get("storageClass", "Standard"),
        # Cloudflare reads the location only when it creates the bucket.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=["location"])
        ),
    )
