"""Pulumi components and dynamic providers that a program declares.

Names are loaded on first use: the host of dynamic providers needs only `providers`, not the
components with the classes of Cloudflare's provider.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowflare.resources.client import FlowflareClient, ServiceReference
    from flowflare.resources.service import FlowflareService
    from flowflare.resources.stack import FlowflareStack

__all__ = ["FlowflareClient", "FlowflareService", "FlowflareStack", "ServiceReference"]

_MODULES = {
    "FlowflareClient": "flowflare.resources.client",
    "FlowflareService": "flowflare.resources.service",
    "FlowflareStack": "flowflare.resources.stack",
    "ServiceReference": "flowflare.resources.client",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
