"""Finds KV namespaces by their title."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.spelling import picked
from flowflare.kinds.workers_kv_namespace.apply import WorkersKvNamespace


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The namespace of exactly that title."""
    del findings
    title = wanted.text("title")
    rows = account.listed("/storage/kv/namespaces")
    row = next((one for one in rows if one.get("title") == title), None)
    if row is None:
        return None
    outputs = {**picked(row, WorkersKvNamespace.attributes), **wanted.inputs}
    return Thing(str(row["id"]), dict(wanted.inputs), outputs, title)
