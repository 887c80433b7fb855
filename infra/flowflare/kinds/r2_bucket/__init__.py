"""R2 buckets."""

from flowflare.kinds.contract import Kind, Own

KIND = Kind(
    type="cloudflare:index/r2Bucket:R2Bucket",
    folder=__name__,
    apply="R2Bucket",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="R2BucketSettings",
    declare="declare_bucket",
    own=Own("r2Bucket", "R2 bucket", "r2_bucket"),
    holds_data=True,
    is_owned=True,
)
