"""An example of each store that a client's binding makes.

Only this file names the kinds. The golden case `client_own_stores`, the client of
`tests/e2e/test_own_stores.py` and the bodies of `tests/emulator/test_targets.py` are made from it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowflare.kinds.registry import list_own
from flowflare.kinds.spelling import to_api
from flowflare.kinds.store_verbs import load_store
from flowflare.values.properties import Secret, plain

_DATABASE = {"scheme": "postgres", "database": "shop", "user": "shop"}
_PUBLIC = {"host": "db.example.com", "port": 5432}
_PASSWORD = {"password": {"environment": "PG_PASSWORD"}}
_ACCESS = {"accessClientId": "a", "accessClientSecret": {"environment": "ACCESS_SECRET"}}


def _change_origin(
    before: Mapping[str, Any] = _PUBLIC, **after: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two origins, of which the second has some fields changed."""
    origin = {**_DATABASE, **_PASSWORD, **before}
    return {"origin": origin}, {"origin": {**origin, **after}}


def _change(key: str, **after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, {key: after}


_TUNNEL = {"host": "db.example.com", **_ACCESS}


@dataclass(frozen=True)
class OwnStore:
    """An example of a kind.

    Attributes:
        binding: the name of the binding in the golden case and the end-to-end test.
        fields: for each setting in the configuration, by path: settings before and after.
        settings: the settings that the configuration requires, below those of `fields`.
        inputs: the resource's inputs besides account and name; secrets are marked.
        changes: inputs that change without a replacement; by default another name.
        shown: optional settings for the golden case.
    """

    binding: str
    fields: Mapping[str, tuple[dict[str, Any], dict[str, Any]]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)


OWN_STORES: Mapping[str, OwnStore] = {
    "kvNamespace": OwnStore("CACHE", {"name": ({}, {"name": "sessions"})}),
    "queue": OwnStore("ORDERS", {"name": ({}, {"name": "jobs"})}),
    "r2Bucket": OwnStore(
        "FILES",
        {
            "name": ({}, {"name": "files"}),
            "location": ({}, {"location": "weur"}),
            "storageClass": ({}, {"storageClass": "InfrequentAccess"}),
        },
        inputs={"storageClass": "Standard"},
        changes={"storageClass": "InfrequentAccess"},
        shown={"location": "weur", "storageClass": "InfrequentAccess"},
    ),
    "hyperdrive": OwnStore(
        "PG",
        {
            "name": ({}, {"name": "shop-database"}),
            "origin.scheme": _change_origin(scheme="mysql"),
            "origin.host": _change_origin(host="db2.example.com"),
            "origin.port": _change_origin(port=5433),
            "origin.database": _change_origin(database="orders"),
            "origin.user": _change_origin(user="orders"),
            "origin.password": _change_origin(password={"environment": "NEW_PASSWORD"}),
            "origin.accessClientId": _change_origin(_TUNNEL, accessClientId="b"),
            "origin.accessClientSecret": _change_origin(
                _TUNNEL, accessClientSecret={"environment": "NEW_SECRET"}
            ),
            "origin.serviceId": _change_origin({"serviceId": "a"}, serviceId="b"),
            "caching.disabled": _change("caching", disabled=True),
            "caching.maxAge": _change("caching", maxAge=30),
            "caching.staleWhileRevalidate": _change("caching", staleWhileRevalidate=5),
            "mtls.caCertificateId": _change("mtls", caCertificateId="a"),
            "mtls.mtlsCertificateId": _change("mtls", mtlsCertificateId="a"),
            "mtls.sslmode": _change("mtls", sslmode="require"),
            "originConnectionLimit": ({}, {"originConnectionLimit": 20}),
        },
        settings={"origin": {**_DATABASE, **_PUBLIC, **_PASSWORD}},
        inputs={"origin": {**_DATABASE, **_PUBLIC, "port": 5432.0, "password": Secret("s3cret")}},
        shown={"caching": {"maxAge": 30}, "originConnectionLimit": 20},
    ),
}
assert OWN_STORES.keys() == list_own().keys(), "write an example of each kind"


def make_bindings(*, shown: bool = False) -> dict[str, Any]:
    """Make the bindings of a client that has a store of each kind, by the binding's name."""
    return {
        store.binding: {key: {**store.settings, **(store.shown if shown else {})}}
        for key, store in sorted(OWN_STORES.items(), key=lambda item: item[1].binding)
    }


def make_api_bodies(name: str) -> dict[str, Any]:
    """Make the body that creates a store of each kind, by its path below the account."""
    bodies = {}
    for key, kind in list_own().items():
        store = load_store(kind)
        inputs = {"title": name, **OWN_STORES[key].inputs}
        bodies[store.listed_at] = to_api(plain({store.title: inputs.pop("title"), **inputs}))
    return bodies


def write_golden_case() -> str:
    """Write the stack of the golden case `client_own_stores`."""
    bindings = {
        **make_bindings(shown=True),
        "SESSIONS": {"kvNamespace": {"name": "shop-sessions"}},
        "SHARED": {"type": "kv_namespace", "namespace_id": "0f2ac74b498b48028cb68387c421e279"},
    }
    lines = [f"        {name}: {json.dumps(bindings[name])}" for name in sorted(bindings)]
    head = """\
config:
  flowflare:accountId: f10f1a4ef10f1a4ef10f1a4ef10f1a4e
  flowflare:clients:
    orders:
      source: orders.js
      bindings:
"""
    return head + "\n".join(lines) + "\n"
