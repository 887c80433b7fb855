"""R2 buckets."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import WrittenAsInApi


class R2BucketBinding(WrittenAsInApi):
    """An R2 bucket."""

    type: Literal["r2_bucket"] = Field(description="An R2 bucket.")
    bucket_name: Text = Field(description="The bucket's name.")
    jurisdiction: Literal["eu", "fedramp", "fedramp-high"] | None = Field(
        default=None, description="The bucket's jurisdiction, if it has one."
    )


BINDING = BindingType(
    "r2_bucket", R2BucketBinding, wrangler=WranglerEntry("r2_buckets"), target="bucket_name"
)
