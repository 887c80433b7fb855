"""What a client's configuration says of a KV namespace of its own."""

from pydantic import Field

from flowflare.model.written import Physical, Written


class KvNamespaceSettings(Written):
    """A KV namespace of a client's own."""

    name: Physical | None = Field(
        default=None,
        description="The namespace's title in the account; "
        "`<tenant>-<environment>-flowflare-<client>-<binding>` when left out.",
    )
