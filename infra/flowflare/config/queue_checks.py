"""Check the queues that clients consume: a binding makes each, and it has one consumer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.config.problems import Finding, Path, full_key, mapping, nearest
from flowflare.kinds import queue

_OWN: Final = queue.KIND.own
assert _OWN is not None
#: The key below a binding that makes a queue.
QUEUE_KEY: Final = _OWN.key
_QUEUES: Final = "Queues that bindings make"


def refer_to_queue(reference: str, client: str) -> str:
    """Return the full reference to a queue that a binding makes: `<client>.<binding>`."""
    return reference if "." in reference else f"{client}.{reference}"


def check_queue_consumers(clients: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    """List what is wrong with the queues that clients consume.

    Args:
        clients: the clients' fields by name, as they are written.
    """
    made = {
        f"{client}.{binding}"
        for client, fields in clients.items()
        for binding, written in mapping(fields.get("bindings")).items()
        if QUEUE_KEY in mapping(written)
    }
    seen: dict[str, Path] = {}
    for client, fields in clients.items():
        consumers = fields.get("queueConsumers")
        for index, written in enumerate(consumers if isinstance(consumers, list) else ()):
            path: Path = ("clients", client, "queueConsumers", index)
            yield from _check_consumer(client, mapping(written), path, made, seen)


def _check_consumer(
    client: str, written: Mapping[str, Any], path: Path, made: set[str], seen: dict[str, Path]
) -> Iterator[Finding]:
    named, identity = written.get("queue"), written.get("queueId")
    queue_ = refer_to_queue(named, client) if isinstance(named, str) else identity
    if not isinstance(queue_, str):
        return  # the schema says that it is missing
    if isinstance(named, str) and queue_ not in made:
        remedy = nearest(queue_, made, _QUEUES)
        yield (*path, "queue"), f"no binding makes the queue `{queue_}`", remedy
    first = seen.setdefault(queue_, path)
    if first != path:
        message = f"`{full_key(first)}` consumes the same queue, and a queue has one consumer"
        yield path, message, "Keep one of the two."
    dead = written.get("deadLetterQueue")
    if not isinstance(dead, str):
        return
    dead_queue = refer_to_queue(dead, client)
    if dead_queue == queue_:
        message = "is the queue that is consumed: a failed message would never leave it"
        yield (*path, "deadLetterQueue"), message, "Write another queue."
    elif dead_queue not in made and not _may_be_name(dead):
        remedy = nearest(dead_queue, made, _QUEUES)
        yield (*path, "deadLetterQueue"), f"no binding makes the queue `{dead_queue}`", remedy


def _may_be_name(text: str) -> bool:
    """Whether a string can be the name of a queue in the account, which has no upper case."""
    return "." not in text and "_" not in text and text == text.lower()
