"""Finds KV namespaces by their title."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.spelling import pick_attributes
from flowflare.kinds.workers_kv_namespace.apply import WorkersKvNamespace


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the namespace of exactly that title."""
    del findings
    title = wanted.text("title")
    rows = account.read_list("/storage/kv/namespaces")
    row = next((namespace for namespace in rows if namespace.get("title") == title), None)
    if row is None:
        return None
    outputs = {**pick_attributes(row, WorkersKvNamespace.attributes), **wanted.inputs}
    return Thing(str(row["id"]), dict(wanted.inputs), outputs, title)
