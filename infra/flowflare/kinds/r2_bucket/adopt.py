"""Find R2 buckets by their name."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.found import take_live
from flowflare.kinds.r2_bucket.apply import R2Bucket
from flowflare.kinds.spelling import pick_attributes


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the bucket of exactly that name."""
    del findings
    name = wanted.text("name")
    row = account.find(f"{R2Bucket.listed_at}/{name}")
    if row is None:
        return None
    inputs, differences = take_live(wanted, {"storageClass": row.get("storage_class")})
    return Thing(
        name, inputs, {**pick_attributes(row, R2Bucket.attributes), **inputs}, name, differences
    )
