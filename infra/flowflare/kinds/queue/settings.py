"""What a client's configuration says of a queue of its own."""

from pydantic import Field

from flowflare.model.written import Hyphenated, Written


class QueueSettings(Written):
    """A queue of a client's own, which it sends messages to."""

    name: Hyphenated | None = Field(
        default=None,
        description="The queue's name in the account; "
        "`<tenant>-<environment>-flowflare-<client>-<binding>` when left out.",
    )
