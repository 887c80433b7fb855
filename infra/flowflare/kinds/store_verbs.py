"""The verbs that named stores share: risk, drift and adopt. The first argument is the kind."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted
from flowflare.kinds.assessment import Reason, loses_data
from flowflare.kinds.contract import Kind, load_apply
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_by_id
from flowflare.kinds.scene import Scene, as_sent, find_differences
from flowflare.kinds.spelling import from_api, pick_attributes, snake
from flowflare.kinds.stores import NamedStore
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step
from flowflare.values.properties import Props, Secret


def assess(kind: Kind, step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for a step on a store that is deleted with its content."""
    del around
    content = kind.own.content if kind.own else ""
    if content and step.op == "replace":
        yield loses_data(f"It is replaced by an empty one; the old one is deleted with {content}.")
    elif content and step.op == "delete":
        yield loses_data(f"It is deleted with {content}.")


def compare(kind: Kind, scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in a stack's stores of a kind."""
    store, records = load_store(kind), scene.of_kind(kind)
    rows = account.read_list(store.listed_at) if records else ()
    live = {str(row[store.id_key]): row for row in rows}
    returned = [
        replace(record, inputs=_keep_returned(record.inputs, live.get(record.id, {})))
        for record in records
    ]
    if any(kept.inputs != record.inputs for kept, record in zip(returned, records, strict=True)):
        scene.unseen.append(
            f"The secrets of each {store.words} are not compared: Cloudflare does not return them."
        )
    keys = (store.title, *store.compared)
    holds_data = bool(kind.own and kind.own.content)
    yield from compare_by_id(returned, live, keys, store.words, holds_data=holds_data)


def find(kind: Kind, wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the store with exactly that name; state gets live values that are not as declared."""
    del findings
    store, inputs = load_store(kind), dict(wanted.inputs)
    name, rows = wanted.text(store.title), account.read_list(store.listed_at)
    row = next((row for row in rows if row.get(snake(store.title)) == name), None)
    if row is None:
        return None
    differences = list(_take_live(inputs, row, store.compared))
    outputs = {**pick_attributes(row, store.attributes), **inputs}
    return Thing(str(row[store.id_key]), inputs, outputs, name, differences)


def _take_live(inputs: Props, row: Any, keys: tuple[str, ...]) -> Iterator[Difference]:
    """Replace differing inputs by the live values; keep secrets, which no response contains."""
    for key in (key for key in keys if key in inputs):
        declared, live = inputs[key], row.get(snake(key))
        returned = _keep_returned({key: declared}, row).get(key)
        found = list(find_differences(as_sent(returned), live, key))
        for path, before, after in found:
            yield Difference(path=path, declared=before, account=after)
        if found:
            there = from_api(live)
            if isinstance(declared, dict) and isinstance(there, dict):
                there = {**declared, **there}
            inputs[key] = there


def _keep_returned(inputs: Props, live: Any) -> Props:
    """Return the inputs without secrets, at any depth, that the response does not have."""
    kept: Props = {}
    for key, value in inputs.items():
        there = live.get(snake(key)) if isinstance(live, dict) else None
        if isinstance(value, dict):
            kept[key] = _keep_returned(value, there)
        elif there is not None or not isinstance(value, Secret):
            kept[key] = value
    return kept


def load_store(kind: Kind) -> type[NamedStore]:
    """Load the handler of a store."""
    store = load_apply(kind)
    assert store is not None
    assert issubclass(store, NamedStore)
    return store
