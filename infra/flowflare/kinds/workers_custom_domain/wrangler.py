"""Write custom domains into wrangler's configuration."""

from typing import Any

from flowflare.model.worker import WorkerSpec


def write(worker: WorkerSpec) -> dict[str, Any]:
    """Return the custom domains of the key `routes`."""
    domains = [
        {"pattern": domain.hostname, "zone_id": domain.zone_id, "custom_domain": True}
        for domain in worker.domains
    ]
    return {"routes": domains} if domains else {}
