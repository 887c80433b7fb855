"""Worker scripts: one PUT with the module and its metadata."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from flowflare.api import Part
from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.module_parts import compute_sha256, make_file_part
from flowflare.kinds.spelling import pick_attributes, snake, to_api
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.values.properties import Props, Value, json_text

#: The attributes of a response that become outputs.
COMPUTED = (
    "createdOn",
    "etag",
    "handlers",
    "hasAssets",
    "hasModules",
    "lastDeployedFrom",
    "logpush",
    "migrationTag",
    "modifiedOn",
    "namedHandlers",
    "placementMode",
    "placementStatus",
    "startupTimeMs",
    "usageModel",
)
# Inputs that are not metadata: the address, the module, and options of the request.
_NOT_METADATA = frozenset(
    {"accountId", "scriptName", "content", "contentType", "files", "force", "bindingsInherit"}
)
# Maps whose keys are the user's words, not names of attributes.
_OWN_KEYS = frozenset({"exports"})
# The same inside a binding; Cloudflare's provider accepts these as JSON text and sends the value.
_OWN_VALUES = frozenset({"algorithm", "json", "keyJwk", "key_jwk", "props"})
_RULES = frozenset({"headers", "redirects"})
_ANNOTATIONS = {"workersMessage": "workers/message", "workersTag": "workers/tag"}


class WorkersScript(CloudflareHandler):
    """`cloudflare:index/workersScript:WorkersScript`."""

    required = ("accountId", "scriptName", "content")
    replace_keys = ("accountId", "scriptName")
    identity = ("accountId", "scriptName")
    volatile: ClassVar[tuple[str, ...]] = (
        "etag",
        "handlers",
        "migrationTag",
        "modifiedOn",
        "namedHandlers",
        "startupTimeMs",
    )
    unserved = ("contentFile", "contentSha256")

    def mistakes(self, inputs: Props) -> list[str]:
        """Require exactly one of `mainModule` and `bodyPart`."""
        given = [key for key in ("mainModule", "bodyPart") if inputs.get(key) is not None]
        found = [] if len(given) == 1 else ["exactly one of mainModule and bodyPart must be given"]
        assets = inputs.get("assets")
        given = sorted(assets.keys() - {"config"}) if isinstance(assets, dict) else []
        found += [f"assets.{key} is not served by the embedded engine" for key in given]
        files = inputs.get("files")
        for name, file in sorted(files.items()) if isinstance(files, dict) else ():
            if isinstance(file, dict):
                found += _find_file_mistakes(name, file)
        return found

    def create(self, new: Props) -> Made:
        """Upload the script."""
        return Made(self.id_of(new), self._put(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Upload the whole script, which removes all other bindings."""
        del old
        return self._put(new)

    def delete(self, old: Existing) -> None:
        """Delete the script; with `force` even if other scripts refer to it."""
        force = old.inputs.get("force", old.outputs.get("force")) is True
        self.delete_at(_path(old.inputs or old.outputs), query={"force": "true"} if force else None)

    def id_of(self, known: Props) -> str:
        """Return the script's name."""
        return str(known["scriptName"])

    def look_up(self, known: Props) -> Props:
        """Read the settings, which fail if it does not exist, and Cloudflare's computed values."""
        settings = self.access.client.call("GET", f"{_path(known)}/settings")
        return {
            **known,
            **pick_attributes(self._read_computed(known), COMPUTED),
            **pick_attributes(settings, ("logpush", "usageModel")),
        }

    def _read_computed(self, known: Props) -> Any:
        path = f"/accounts/{known['accountId']}/workers/services/{known['scriptName']}"
        service = self.find_at(path)
        return {} if service is None else service["default_environment"]["script"]

    def _put(self, new: Props) -> Props:
        module = str(new.get("mainModule") or new["bodyPart"])
        kind = "application/javascript+module" if "mainModule" in new else "application/javascript"
        files = new.get("files") or {}
        parts = [
            Part(module, new["content"], str(new.get("contentType") or kind), filename=module),
            *(
                make_file_part(name, files[name]["contentBase64"], files[name]["contentType"])
                for name in sorted(files)
            ),
            Part("metadata", metadata(new), "application/json"),
        ]
        query = {"bindings_inherit": new["bindingsInherit"]} if "bindingsInherit" in new else None
        answer = self.access.client.call("PUT", _path(new), parts=parts, query=query)
        return {"placement": {}, **pick_attributes(answer, COMPUTED), **new, **_hash_files(files)}


def _find_file_mistakes(name: str, file: Props) -> Iterator[str]:
    """Find what is wrong with a module beside the main module; only its content is served."""
    if "contentFile" in file:
        yield f'files["{name}"].contentFile is not served by the embedded engine'
        return
    content = file.get("contentBase64")
    if not isinstance(content, str) or compute_sha256(content) is None:
        yield f'files["{name}"].contentBase64 is not base64'


def _hash_files(files: Props) -> Props:
    """Return the files with the digests that Cloudflare's provider computes."""
    hashed = {
        name: {**file, "contentSha256": compute_sha256(file["contentBase64"])}
        for name, file in files.items()
    }
    return {"files": hashed} if hashed else {}


def metadata(new: Props) -> str:
    """Return the metadata part's JSON, keys sorted, with the defaults of Cloudflare's provider."""
    sent: dict[str, Any] = {"logpush": False, "usage_model": "standard"}
    for key, value in new.items():
        if key in _NOT_METADATA or value is None:
            continue
        if key in _OWN_KEYS:
            sent[key] = {name: to_api(item) for name, item in value.items()}
        elif key == "annotations":
            sent[key] = {_ANNOTATIONS.get(name, name): text for name, text in value.items()}
        elif key == "assets":
            sent[key] = {"config": _name_rules(to_api(value.get("config") or {}))}
        elif key == "bindings":
            sent[key] = [binding(item) for item in value]
        else:
            sent |= to_api({key: value})
    return json.dumps(sent, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _name_rules(config: Mapping[str, Any]) -> dict[str, Any]:
    """Name the rule files as the API does: `_headers` for `headers`."""
    return {f"_{key}" if key in _RULES else key: value for key, value in config.items()}


def binding(given: Props) -> Any:
    """Convert one binding to the API's spelling; its type may be unknown here."""
    own = {snake(key): _json(value) for key, value in given.items() if key in _OWN_VALUES}
    rest = {key: value for key, value in given.items() if key not in _OWN_VALUES}
    return {**to_api(rest), **own}


def _json(value: Value) -> Any:
    """Convert a value and keep its keys; a string of JSON becomes its value."""
    if isinstance(value, str):
        try:
            return parse_json(value)
        except JsonError:
            return value
    return json.loads(json_text(value))


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workers/scripts/{known['scriptName']}"
