"""Register a client's own store: its name, and its settings as they are written."""

import copy
from collections.abc import Mapping
from typing import Any

import pulumi

from flowflare.kinds import cloudflare
from flowflare.kinds.contract import Kind
from flowflare.kinds.spelling import snake, to_api
from flowflare.kinds.store_verbs import load_store
from flowflare.model.client import OwnSpec


def declare_store(
    kind: Kind,
    name: str,
    own: OwnSpec,
    secrets: Mapping[str, pulumi.Output[str]],
    account_id: str,
    opts: pulumi.ResourceOptions,
) -> pulumi.CustomResource:
    """Declare a store whose settings are the arguments of its resource.

    `secrets` has the values of its secret settings by path: `origin.password`.
    """
    settings = copy.deepcopy(dict(own.settings))
    for path, value in secrets.items():
        *outer, key = path.split(".")
        inside: Any = settings
        for step in outer:
            inside = inside[step]
        inside[key] = value
    title = snake(load_store(kind).title)
    arguments: Any = {"account_id": account_id, title: own.name, **to_api(settings)}
    resource: pulumi.CustomResource = getattr(cloudflare, kind.name)(name, **arguments, opts=opts)
    return resource
