"""The settings of a client's own KV namespace in the configuration."""

from pydantic import Field

from flowflare.model.written import Physical, Written


class KvNamespaceSettings(Written):
    """A client's own KV namespace."""

    name: Physical | None = Field(
        default=None,
        description="The namespace's title in the account; "
        "by default `<tenant>-<environment>-flowflare-<client>-<binding>`.",
    )
