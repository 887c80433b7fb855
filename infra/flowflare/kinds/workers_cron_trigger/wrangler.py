"""Write cron triggers into wrangler's configuration."""

from typing import Any

from flowflare.model.worker import WorkerSpec


def write(worker: WorkerSpec) -> dict[str, Any]:
    """Return the key `triggers`."""
    return {} if worker.crons is None else {"triggers": {"crons": list(worker.crons)}}
