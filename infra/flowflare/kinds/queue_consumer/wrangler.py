"""Convert a queue consumer to wrangler's configuration."""

from typing import Any, Final

from flowflare.model.client import ClientSpec, QueueConsumerSpec
from flowflare.model.worker import WorkerSpec

_WORDS: Final = {
    "batchSize": "max_batch_size",
    "maxConcurrency": "max_concurrency",
    "maxRetries": "max_retries",
    "retryDelay": "retry_delay",
}


def write(worker: WorkerSpec) -> dict[str, Any]:
    """Return the consumers of the key `queues`."""
    consumers = worker.queue_consumers if isinstance(worker, ClientSpec) else ()
    return {"queues": {"consumers": list(map(_write_consumer, consumers))}} if consumers else {}


def _write_consumer(consumer: QueueConsumerSpec) -> dict[str, Any]:
    """Return an entry of `queues.consumers`; wrangler counts the wait in seconds."""
    entry: dict[str, Any] = {
        "queue": consumer.queue_name or f"<name of the queue {consumer.queue_id}>",
        **{_WORDS[key]: value for key, value in consumer.settings.items() if key in _WORDS},
        "max_batch_timeout": consumer.settings["maxWaitTimeMs"] / 1_000,
    }
    if consumer.dead_letter_queue is not None:
        entry["dead_letter_queue"] = consumer.dead_letter_queue
    return entry
