"""Queues, to which a Worker sends messages."""

from typing import Annotated, Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import WrittenAsInApi


class QueueBinding(WrittenAsInApi):
    """A queue to which the Worker sends messages."""

    type: Literal["queue"] = Field(description="A queue, for sending.")
    queue_name: Text = Field(description="The queue's name.")
    delivery_delay: Annotated[int, Field(ge=0, le=43_200)] | None = Field(
        default=None, description="Seconds before a message can be received."
    )


BINDING = BindingType(
    "queue",
    QueueBinding,
    wrangler=WranglerEntry("queues", {"queue_name": "queue"}, below="producers"),
    target="queue_name",
)
