"""The settings of a client's own queue in the configuration."""

from pydantic import Field

from flowflare.model.written import Hyphenated, Written


class QueueSettings(Written):
    """A client's own queue, to which it sends messages."""

    name: Hyphenated | None = Field(
        default=None,
        description="The queue's name in the account; "
        "by default `<tenant>-<environment>-flowflare-<client>-<binding>`.",
    )
