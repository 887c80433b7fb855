"""The settings of a queue consumer in a client's configuration."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from flowflare.model.written import Written, refusal

_REFERENCE = re.compile(r"([a-z0-9-]+\.)?[A-Za-z_][A-Za-z0-9_]*")
_DEAD_LETTER = re.compile(rf"{_REFERENCE.pattern}|[a-z0-9][a-z0-9-]*")
_ID = re.compile(r"[0-9a-f]{32}")


def _queue(value: str) -> str:
    if not _REFERENCE.fullmatch(value):
        remedy = (
            "Write the binding that creates the queue, such as JOBS, or orders.JOBS for another "
            "client's. For a queue outside of the stack, write queueId instead."
        )
        raise refusal(f"is {value!r}, which is not a binding", remedy)
    return value


def _queue_id(value: str) -> str:
    if not _ID.fullmatch(value):
        remedy = "Copy the 32 hexadecimal characters: wrangler queues info <name>."
        raise refusal(f"is {value!r}, which is not the ID of a queue", remedy)
    return value


def _dead_letter_queue(value: str) -> str:
    if not _DEAD_LETTER.fullmatch(value):
        remedy = "Write a binding that creates a queue, such as FAILED, or the name of a queue."
        raise refusal(f"is {value!r}, which is not a queue", remedy)
    return value


class QueueConsumerSettings(Written):
    """A queue whose messages the client's `queue` handler receives."""

    queue: Annotated[str, AfterValidator(_queue)] | None = Field(
        default=None,
        description="The binding that creates the queue: `JOBS` for the client's own queue, "
        "`orders.JOBS` for a queue of the client `orders`.",
    )
    queue_id: Annotated[str, AfterValidator(_queue_id)] | None = Field(
        default=None, description="The ID of a queue outside of the stack, instead of `queue`."
    )
    dead_letter_queue: Annotated[str, AfterValidator(_dead_letter_queue)] | None = Field(
        default=None,
        description="The queue for messages after their last retry: a binding that creates a "
        "queue, as in `queue`, or the name of a queue in the account. Without it such messages "
        "are deleted.",
    )
    batch_size: int = Field(
        default=10, ge=1, le=100, description="The most messages in one batch, 1 to 100."
    )
    max_wait_time_ms: int = Field(
        default=5_000,
        ge=0,
        le=60_000,
        description="How long Cloudflare waits for a full batch, in milliseconds, at most 60,000.",
    )
    max_retries: int = Field(
        default=3,
        ge=0,
        le=100,
        description="How often a message that failed is delivered again, at most 100 times.",
    )
    retry_delay: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="How long a failed message waits for its next delivery, in seconds, at most "
        "86,400.",
    )
    max_concurrency: int | None = Field(
        default=None,
        ge=1,
        le=250,
        description="The most batches that are delivered at a time, 1 to 250; by default "
        "Cloudflare decides.",
    )

    @model_validator(mode="after")
    def _name_one_queue(self) -> "QueueConsumerSettings":
        if (self.queue is None) == (self.queue_id is None):
            remedy = "Write `queue` with a binding that creates a queue, or `queueId`."
            raise refusal("must have either `queue` or `queueId`", remedy)
        return self
