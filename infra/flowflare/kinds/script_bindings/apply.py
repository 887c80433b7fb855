"""Provider of the bindings of a script that Cloudflare's own provider cannot say."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from flowflare.api import Client, Part
from flowflare.errors import ApiError
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    gone,
    kept,
    script_id,
)

_JAVASCRIPT = "application/javascript+module"


class ScriptBindingsProvider(CloudflareProvider):
    """Bindings that a script has before Cloudflare's provider uploads it and inherits them.

    Where there is no script yet it is uploaded with these bindings alone; of one that is there the
    settings are changed and every other binding stays. Nothing is deleted: the next upload of the
    script drops what it does not inherit.
    """

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compares the bindings; the code alone changes nothing."""
        replaces = self._replaces(olds, news)
        changes = bool(replaces) or olds.get("bindings") != news.get("bindings")
        return DiffResult(changes=changes, replaces=replaces)

    def foresee(self, news: Props) -> Props:
        """The outputs before anything is done."""
        return self._outputs(news)

    def create(self, props: Props) -> CreateResult:
        """Uploads the script, or changes the settings of the one that is there.

        Raises:
            ApiError: Cloudflare refused.
        """
        self._bind(props)
        return CreateResult(script_id(props), self._outputs(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Changes the settings; raises as `create` does."""
        self._bind(news)
        return UpdateResult(self._outputs(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Looks for the bindings; gone if the script or one of them is."""
        live = _live(self.api(), props)
        names = {binding.get("name") for binding in live or ()}
        wanted = {binding["name"] for binding in props.get("bindings") or ()}
        return ReadResult(id_, kept(props)) if live is not None and wanted <= names else gone()

    def _bind(self, props: Props) -> None:
        client, live = self.api(), _live(self.api(), props)
        path, bindings = _path(props), _as_written(props["bindings"])
        if live is None:
            metadata = {
                "main_module": props["main_module"],
                "bindings": bindings,
                "compatibility_date": props["compatibility_date"],
                "compatibility_flags": props["compatibility_flags"],
            }
            module = props["main_module"]
            parts = [
                Part("metadata", json.dumps(metadata), "application/json"),
                Part(module, props["content"], _JAVASCRIPT, filename=module),
            ]
            client.call("PUT", path, parts=parts)
            return
        names = {binding["name"] for binding in bindings}
        others = [
            {"type": "inherit", "name": binding["name"]}
            for binding in live
            if binding["name"] not in names
        ]
        settings = json.dumps({"bindings": [*others, *bindings]})
        client.call(
            "PATCH", f"{path}/settings", parts=[Part("settings", settings, "application/json")]
        )

    def _outputs(self, props: Props) -> Props:
        return {name: props.get(name) for name in (*self.identity, "bindings")}


def _live(client: Client, props: Props) -> Sequence[Mapping[str, Any]] | None:
    """The bindings of the live script, None where there is no script."""
    try:
        settings = client.call("GET", f"{_path(props)}/settings")
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    return tuple(settings.get("bindings") or ())


def _as_written(value: Any) -> Any:
    """Whole numbers without a point: on the way here every number became a float."""
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _path(props: Props) -> str:
    return f"/accounts/{props['account_id']}/workers/scripts/{props['script_name']}"
