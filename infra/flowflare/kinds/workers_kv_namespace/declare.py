"""Registers a client's own KV namespace."""

import pulumi

from flowflare.kinds.cloudflare import WorkersKvNamespace
from flowflare.model.client import OwnSpec


def declare_namespace(
    name: str, own: OwnSpec, account_id: str, opts: pulumi.ResourceOptions
) -> WorkersKvNamespace:
    """Declare a `WorkersKvNamespace`."""
    return WorkersKvNamespace(name, account_id=account_id, title=own.name, opts=opts)
