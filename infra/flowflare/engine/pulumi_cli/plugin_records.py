"""Repair records of a deployment that Cloudflare's plugin cannot read: pure functions on JSON.

Earlier versions of this package wrote resources into states of the CLI without the data that the
plugin stores beside their attributes. Secrets in a deployment stay sealed.
"""

from collections.abc import Mapping
from typing import Any, Final

from flowflare.kinds.access import Access
from flowflare.kinds.contract import load_apply
from flowflare.kinds.plugin_state import DELTA_KEY, META_KEY, is_complete, serve
from flowflare.kinds.registry import find_kind
from flowflare.state.checkpoint import load_value
from flowflare.values.properties import Props, plain
from flowflare.values.show import Mask
from flowflare.values.wire import SECRET, SIGNATURE

Json = dict[str, Any]
#: The data that the plugin stores beside a resource's attributes.
_ADDED: Final = ("id", META_KEY, DELTA_KEY)


def unreadable(deployment: Mapping[str, Any]) -> list[Json]:
    """List the records of Cloudflare's resources that the plugin cannot read."""
    return [record for record in deployment.get("resources") or () if _lacks_state(record)]


def is_sealed(value: object) -> bool:
    """Return whether a JSON value contains a sealed secret."""
    if isinstance(value, dict):
        return value.get(SIGNATURE) == SECRET or any(map(is_sealed, value.values()))
    return isinstance(value, list) and any(map(is_sealed, value))


def make_readable(deployment: Mapping[str, Any], opened: Mapping[str, Any]) -> Json:
    """Add the data that the plugin would have written to records of Cloudflare's resources.

    Args:
        deployment: the sealed deployment, which is not changed.
        opened: the same deployment with its secrets open, which show how many bindings a script
            has. A record that is missing in it is completed without its secrets.
    """
    known = {_identity(record): record for record in opened.get("resources") or ()}
    records = [
        _complete(record, known.get(_identity(record), record)) if _lacks_state(record) else record
        for record in deployment.get("resources") or ()
    ]
    return {**deployment, "resources": records}


def plain_props(raw: Mapping[str, Any]) -> Props:
    """Return a record's properties as plain values, with a mask for each sealed secret."""
    return {key: plain(load_value(value, Mask())) for key, value in raw.items()}


def _lacks_state(record: Mapping[str, Any]) -> bool:
    kind = find_kind(record["type"])
    ours = kind is not None and load_apply(kind) is not None
    return ours and not is_complete(record.get("outputs") or {})


def _identity(record: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what distinguishes records of one URN: replaced resources stay until deleted."""
    return record["urn"], bool(record.get("delete")), record.get("id"), record.get("created")


def _complete(record: Mapping[str, Any], opened: Mapping[str, Any]) -> Json:
    handler = serve(record["type"], Access({}, {}))
    assert handler is not None
    sealed = dict(record.get("outputs") or record.get("inputs") or {})
    outputs = plain_props(opened.get("outputs") or opened.get("inputs") or {})
    complete = handler.complete(str(record["id"]), outputs)
    # Nothing else is copied, because `complete` has open secrets.
    added = {key: complete[key] for key in _ADDED if key not in sealed}
    return {**record, "outputs": {**sealed, **added}}
