"""Objects under keys with conditional writes: a folder, or a bucket.

`store` defines what a store is. `folder`, `s3`, `gs` and `azblob` each open the stores of one
scheme, and `registry` lists them. A store has Pulumi's state, and beside it the records of a fleet.
"""

from flowflare.state.backends.registry import open_store
from flowflare.state.backends.store import ABSENT, Store, Stored

__all__ = ["ABSENT", "Store", "Stored", "open_store"]
