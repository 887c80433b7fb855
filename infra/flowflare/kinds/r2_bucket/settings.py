"""What a client's configuration says of an R2 bucket of its own."""

from typing import Literal

from pydantic import Field

from flowflare.model.written import Hyphenated, Written


class R2BucketSettings(Written):
    """An R2 bucket of a client's own."""

    name: Hyphenated | None = Field(
        default=None,
        description="The bucket's name in the account; "
        "`<tenant>-<environment>-flowflare-<client>-<binding>` when left out.",
    )
    location: Literal["wnam", "enam", "weur", "eeur", "apac", "oc"] | None = Field(
        default=None,
        description="Where Cloudflare should create the bucket. Cloudflare reads it only when it "
        "creates the bucket; a later change does nothing.",
    )
    storage_class: Literal["Standard", "InfrequentAccess"] | None = Field(
        alias="storageClass",
        default=None,
        description="The storage class of new objects; `Standard` when left out.",
    )
