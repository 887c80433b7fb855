"""Cloudflare's resources, by the requests that pulumi-cloudflare's provider sends.

The requests follow recordings of provider 6.17 (Terraform provider 5.19): null keys left out, the
module part before the metadata part, defaults that the provider adds.
"""

from collections.abc import Mapping

from flowflare.engine.providers.cloudflare.access import Access
from flowflare.engine.providers.cloudflare.d1_database import D1Database
from flowflare.engine.providers.cloudflare.kind import Kind
from flowflare.engine.providers.cloudflare.plugin_state import PluginState
from flowflare.engine.providers.cloudflare.workers_cron_trigger import WorkersCronTrigger
from flowflare.engine.providers.cloudflare.workers_custom_domain import WorkersCustomDomain
from flowflare.engine.providers.cloudflare.workers_route import WorkersRoute
from flowflare.engine.providers.cloudflare.workers_script import WorkersScript
from flowflare.engine.providers.cloudflare.workers_script_subdomain import WorkersScriptSubdomain
from flowflare.engine.providers.cloudflare.workflow import Workflow

KINDS: Mapping[str, type[Kind]] = {
    "cloudflare:index/d1Database:D1Database": D1Database,
    "cloudflare:index/workersScript:WorkersScript": WorkersScript,
    "cloudflare:index/workflow:Workflow": Workflow,
    "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain": WorkersScriptSubdomain,
    "cloudflare:index/workersCronTrigger:WorkersCronTrigger": WorkersCronTrigger,
    "cloudflare:index/workersRoute:WorkersRoute": WorkersRoute,
    "cloudflare:index/workersCustomDomain:WorkersCustomDomain": WorkersCustomDomain,
}


def serve(type_: str, access: Access) -> PluginState | None:
    """Return what serves a type, with the outputs that the plugin writes; None for another type."""
    kind = KINDS.get(type_)
    return None if kind is None else PluginState(kind(access))


__all__ = ["KINDS", "Access", "PluginState", "serve"]
