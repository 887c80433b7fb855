"""Hyperdrive configurations: Cloudflare generates an ID, and never returns the password."""

from flowflare.kinds.stores import NamedStore


class HyperdriveConfig(NamedStore):
    """`cloudflare:index/hyperdriveConfig:HyperdriveConfig`."""

    required = ("accountId", "name", "origin")
    replace_keys = ("accountId",)
    identity = ("accountId", "name")
    attributes = ("caching", "createdOn", "modifiedOn", "mtls", "originConnectionLimit")
    volatile = ("modifiedOn",)
    unserved = ("integration",)
    listed_at = "/hyperdrive/configs"
    title = "name"
    name_taken = 2017
    words = "Hyperdrive configuration"
    compared = ("origin", "caching", "mtls", "originConnectionLimit")
