"""Objects under keys with conditional writes: a folder, or a bucket.

`store` says what a store is, `folder` and `bucket` are the two kinds, and `opened` opens the one
that a URL names. Pulumi's state lies in one, and beside it what the tool keeps for a fleet.
"""

from flowflare.storage.opened import open_store
from flowflare.storage.store import ABSENT, Store, Stored

__all__ = ["ABSENT", "Store", "Stored", "open_store"]
