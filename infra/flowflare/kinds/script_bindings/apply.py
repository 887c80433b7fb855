"""Provider of a script's bindings that Cloudflare's provider cannot express."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.dynamic import ReadResult

from flowflare.api import Client, Part
from flowflare.errors import ApiError
from flowflare.kinds.module_parts import make_module_parts
from flowflare.kinds.provider import (
    STORED_MODULE,
    Props,
    UploadProvider,
    keep_outputs,
    make_gone_result,
)


class ScriptBindingsProvider(UploadProvider):
    """Bindings that are uploaded first, so that the upload by Cloudflare's provider inherits them.

    A missing script is uploaded with only these bindings. For an existing script, the settings are
    changed and all other bindings are kept. No binding is deleted here: the next upload of the
    script drops the bindings that it does not inherit.
    """

    __module__ = STORED_MODULE

    compared = "bindings"

    def read(self, id_: str, props: Props) -> ReadResult:
        """Find the bindings; the resource is gone if the script or one of them is missing."""
        live = _read_live_bindings(self.api(), props)
        names = {binding.get("name") for binding in live or ()}
        wanted = {binding["name"] for binding in props.get("bindings") or ()}
        return (
            ReadResult(id_, keep_outputs(props))
            if live is not None and wanted <= names
            else make_gone_result()
        )

    def upload(self, props: Props) -> None:
        """Upload the script, or change the settings of an existing script."""
        client, live = self.api(), _read_live_bindings(self.api(), props)
        path, bindings = _path(props), _as_written(props["bindings"])
        if live is None:
            metadata = {
                "main_module": props["main_module"],
                "bindings": bindings,
                "compatibility_date": props["compatibility_date"],
                "compatibility_flags": props["compatibility_flags"],
            }
            first = Part("metadata", json.dumps(metadata), "application/json")
            client.call("PUT", path, parts=[first, *make_module_parts(props)])
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


def _read_live_bindings(client: Client, props: Props) -> Sequence[Mapping[str, Any]] | None:
    """Read the bindings of the live script; None if there is no script."""
    try:
        settings = client.call("GET", f"{_path(props)}/settings")
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    return tuple(settings.get("bindings") or ())


def _as_written(value: Any) -> Any:
    """Convert whole numbers back to integers; the engine made all numbers floats."""
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _path(props: Props) -> str:
    return f"/accounts/{props['account_id']}/workers/scripts/{props['script_name']}"
