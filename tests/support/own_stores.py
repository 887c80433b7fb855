"""An example of each store that a client's binding makes; a new kind needs an entry here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowflare.kinds.registry import list_own
from flowflare.values.properties import Secret

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
        fields: for each setting in the configuration, by path: settings before and after.
        settings: the settings that the configuration requires, below those of `fields`.
        inputs: the resource's inputs besides account and name; secrets are marked.
        changes: inputs that change without a replacement; by default another name.
    """

    fields: Mapping[str, tuple[dict[str, Any], dict[str, Any]]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


OWN_STORES: Mapping[str, OwnStore] = {
    "kvNamespace": OwnStore({"name": ({}, {"name": "sessions"})}),
    "queue": OwnStore({"name": ({}, {"name": "jobs"})}),
    "r2Bucket": OwnStore(
        {
            "name": ({}, {"name": "files"}),
            "location": ({}, {"location": "weur"}),
            "storageClass": ({}, {"storageClass": "InfrequentAccess"}),
        },
        inputs={"storageClass": "Standard"},
        changes={"storageClass": "InfrequentAccess"},
    ),
    "hyperdrive": OwnStore(
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
    ),
}
assert OWN_STORES.keys() == list_own().keys(), "write an example of each kind"
