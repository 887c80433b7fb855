"""Register the queue consumers of a client."""

from collections.abc import Mapping

import pulumi

from flowflare.kinds import cloudflare
from flowflare.kinds.spelling import snake
from flowflare.model.client import ClientSpec


def declare_consumers(
    name: str,
    account_id: str,
    spec: ClientSpec,
    script: pulumi.Resource,
    queues: Mapping[str, pulumi.CustomResource],
    parent: pulumi.Resource,
) -> None:
    """Declare a `QueueConsumer` for each queue that a client consumes.

    A consumer is named after its queue. If another client consumes the queue later, the same
    resource is updated, because Cloudflare refuses a second consumer.

    Args:
        name: the first part of the resources' names.
        script: the client's script, which must exist.
        queues: the queues that bindings create, by `<client>.<binding>`.
    """
    for consumer in spec.queue_consumers:
        used = [queues[queue] for queue in consumer.list_references()]
        queue_id = queues[consumer.queue].id if consumer.queue else consumer.queue_id
        cloudflare.QueueConsumer(
            f"{name}-{consumer.part}",
            account_id=account_id,
            queue_id=queue_id,
            type="worker",
            script_name=spec.script_name,
            dead_letter_queue=consumer.dead_letter_queue,
            settings={snake(key): value for key, value in consumer.settings.items()},
            opts=pulumi.ResourceOptions(
                parent=parent, depends_on=[script, *used], delete_before_replace=True
            ),
        )
