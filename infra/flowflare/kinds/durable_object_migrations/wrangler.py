"""Write class migrations into wrangler's configuration."""

from typing import Any

from flowflare.model.worker import WorkerSpec


def write(worker: WorkerSpec) -> dict[str, Any]:
    """Return the key `migrations`."""
    steps = [{"tag": step.tag} | step.step() for step in worker.class_migrations]
    return {"migrations": steps} if steps else {}
