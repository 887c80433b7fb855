"""The settings of a client's own R2 bucket in the configuration."""

from typing import Literal

from pydantic import Field

from flowflare.model.written import Hyphenated, Written


class R2BucketSettings(Written):
    """A client's own R2 bucket."""

    name: Hyphenated | None = Field(
        default=None,
        description="The bucket's name in the account; "
        "by default `<tenant>-<environment>-flowflare-<client>-<binding>`.",
    )
    location: Literal["wnam", "enam", "weur", "eeur", "apac", "oc"] | None = Field(
        default=None,
        description="Where Cloudflare should create the bucket. Cloudflare reads it only when it "
        "creates the bucket; a later change does nothing.",
    )
    storage_class: Literal["Standard", "InfrequentAccess"] | None = Field(
        default=None, description="The storage class of new objects; by default `Standard`."
    )
