"""Compare R2 buckets: whether they exist, and their storage class."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_by_id
from flowflare.kinds.r2_bucket import KIND
from flowflare.kinds.r2_bucket.apply import R2Bucket
from flowflare.kinds.scene import Scene


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in a stack's R2 buckets."""
    live = {}
    for record in scene.of_kind(KIND):
        row = account.find(f"{R2Bucket.listed_at}/{record.id}")
        if row is not None:
            live[record.id] = row
    yield from compare_by_id(scene.of_kind(KIND), live, ("name", "storageClass"), "R2 bucket")
