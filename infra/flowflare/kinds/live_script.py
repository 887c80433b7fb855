"""Read a live script: tag, settings, Durable Objects and the scripts that are bound to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowflare.api import Client
from flowflare.errors import ApiError
from flowflare.kinds.pages import read_pages
from flowflare.kinds.workers_script.settings import SETTINGS, read_setting

#: Types of bindings that identify the owner of a script, with the fields that name the resource.
_MARKS = {"d1": ("id", "database_id"), "service": ("service",)}
#: Settings that an upload resets unless it repeats them.
_KEPT_SETTINGS = sorted((*SETTINGS, "tags", "usage_model"))
_PAGE = 1000


@dataclass(frozen=True)
class LiveScript:
    """A live script.

    Attributes:
        migration_tag: the tag of its last class migration; None if it has none.
        bindings: its bindings; secrets have no values.
        has_assets: whether it has static assets.
    """

    name: str
    migration_tag: str | None
    bindings: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    has_assets: bool = False

    def is_bound_like(self, bindings: tuple[Mapping[str, object], ...]) -> bool:
        """Whether it is ours, because it uses a database or service of those bindings."""
        return bool(_marks(self.bindings) & _marks(bindings))

    def own_classes(self) -> dict[str, str]:
        """Return its bindings to its own Durable Object classes, each with its class."""
        return {
            str(binding["name"]): str(binding["class_name"])
            for binding in self.bindings
            if binding.get("type") == "durable_object_namespace"
            and binding.get("script_name") in (None, "", self.name)
        }

    def kept_settings(self) -> dict[str, Any]:
        """Return the settings that an upload must repeat."""
        found = {name: read_setting(name, self.settings) for name in _KEPT_SETTINGS}
        kept = {name: value for name, value in found.items() if value}
        return kept | ({"keep_assets": True} if self.has_assets else {})


@dataclass(frozen=True)
class Namespace:
    """A class that has Durable Objects."""

    id: str
    script: str
    class_name: str
    use_sqlite: bool


@dataclass(frozen=True)
class Reference:
    """A binding of a script to a namespace of another one."""

    script: str
    binding: str
    namespace: str


def read_live(client: Client, account_id: str, script_name: str) -> LiveScript | None:
    """Read the live script; None if it does not exist."""
    live = read_service(client, account_id, script_name)
    if live is None:
        return None
    settings = client.call("GET", f"{script_path(account_id, script_name)}/settings")
    return LiveScript(
        script_name,
        live.get("migration_tag") or None,
        tuple(settings.get("bindings") or ()),
        settings,
        bool(live.get("has_assets")),
    )


def read_tag(client: Client, account_id: str, script_name: str) -> str | None:
    """Read the live script's last class migration tag: empty if it has none, None if no script."""
    live = read_service(client, account_id, script_name)
    return None if live is None else str(live.get("migration_tag") or "")


def read_service(client: Client, account_id: str, script_name: str) -> Mapping[str, Any] | None:
    """Read what Cloudflare computed from the live script; None if there is no script."""
    try:
        service = client.call("GET", f"/accounts/{account_id}/workers/services/{script_name}")
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    live: Mapping[str, Any] = service["default_environment"]["script"]
    return live


def read_namespaces(client: Client, account_id: str) -> tuple[Namespace, ...]:
    """Read the account's Durable Object namespaces."""
    path = f"/accounts/{account_id}/workers/durable_objects/namespaces"
    return tuple(
        Namespace(
            id=row["id"],
            script=row.get("script") or "",
            class_name=row.get("class") or "",
            use_sqlite=bool(row.get("use_sqlite")),
        )
        for row in read_pages(lambda query: client.call("GET", path, query=query), _PAGE)
    )


def read_references(client: Client, account_id: str, script_name: str) -> tuple[Reference, ...]:
    """Read the bindings of scripts to the Durable Objects of a script."""
    found = client.call("GET", f"{script_path(account_id, script_name)}/references")
    return tuple(
        Reference(row["service"], row["name"], row["durable_object_namespace_id"])
        for row in found.get("durable_objects") or ()
    )


def script_path(account_id: str, script_name: str) -> str:
    """Return the path of a script's operations."""
    return f"/accounts/{account_id}/workers/scripts/{script_name}"


def _marks(bindings: tuple[Mapping[str, object], ...]) -> set[tuple[str, str]]:
    return {
        (kind, str(binding[key]))
        for binding in bindings
        if (kind := str(binding.get("type"))) in _MARKS
        for key in _MARKS[kind]
        if binding.get(key)
    }
