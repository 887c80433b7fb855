"""Write routes into wrangler's configuration."""

from typing import Any

from flowflare.model.worker import WorkerSpec


def write(worker: WorkerSpec) -> dict[str, Any]:
    """Return the routes of the key `routes`."""
    routes = [{"pattern": route.pattern, "zone_id": route.zone_id} for route in worker.routes]
    return {"routes": routes} if routes else {}
