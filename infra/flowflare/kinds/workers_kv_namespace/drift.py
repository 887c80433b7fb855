"""Compares KV namespaces: whether they exist, and their titles."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_by_id
from flowflare.kinds.scene import Scene
from flowflare.kinds.workers_kv_namespace import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in a stack's KV namespaces."""
    records = scene.of_kind(KIND)
    rows = account.read_list("/storage/kv/namespaces") if records else ()
    live = {str(row["id"]): row for row in rows}
    yield from compare_by_id(records, live, ("title",), "KV namespace")
