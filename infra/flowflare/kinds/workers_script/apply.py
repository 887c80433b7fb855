"""Worker scripts: one PUT with the module and its metadata."""

import json
from typing import Any, ClassVar

from flowflare.api import Part
from flowflare.errors import ApiError
from flowflare.kinds.access import is_gone
from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import picked, snake, to_api
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.values.properties import Props, Value, json_text

#: What of an answer becomes outputs.
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
# What is not part of the metadata: the address, the module itself, and options of the request.
_NOT_METADATA = frozenset(
    {"accountId", "scriptName", "content", "contentType", "force", "bindingsInherit"}
)
# Maps whose keys are the user's own words and not names of attributes.
_OWN_KEYS = frozenset({"exports"})
# The same inside a binding; of these the real provider takes JSON text and sends what it says.
_OWN_VALUES = frozenset({"algorithm", "json", "keyJwk", "key_jwk", "props"})
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
    unserved = ("assets", "contentFile", "contentSha256", "files", "keepAssets")

    def mistakes(self, inputs: Props) -> list[str]:
        """A script is a module or a service worker, not both and not neither."""
        given = [key for key in ("mainModule", "bodyPart") if inputs.get(key) is not None]
        return [] if len(given) == 1 else ["exactly one of mainModule and bodyPart must be given"]

    def create(self, new: Props) -> Made:
        """Uploads it."""
        return Made(self.id_of(new), self._put(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Uploads it whole: bindings that are not in it are gone."""
        del old
        return self._put(new)

    def delete(self, old: Existing) -> None:
        """Deletes it; with `force` also while other scripts refer to it."""
        force = old.inputs.get("force", old.outputs.get("force")) is True
        self.delete_at(_path(old.inputs or old.outputs), query={"force": "true"} if force else None)

    def id_of(self, known: Props) -> str:
        """The script's name."""
        return str(known["scriptName"])

    def look_up(self, known: Props) -> Props:
        """Ask for its settings, which say whether it is there, and for what Cloudflare computed."""
        settings = self.access.client.call("GET", f"{_path(known)}/settings")
        return {
            **known,
            **picked(self._computed(known), COMPUTED),
            **picked(settings, ("logpush", "usageModel")),
        }

    def _computed(self, known: Props) -> Any:
        path = f"/accounts/{known['accountId']}/workers/services/{known['scriptName']}"
        try:
            service = self.access.client.call("GET", path)
        except ApiError as error:
            if is_gone(error):
                return {}
            raise
        return service["default_environment"]["script"]

    def _put(self, new: Props) -> Props:
        module = str(new.get("mainModule") or new["bodyPart"])
        kind = "application/javascript+module" if "mainModule" in new else "application/javascript"
        parts = [
            Part(module, new["content"], str(new.get("contentType") or kind), filename=module),
            Part("metadata", metadata(new), "application/json"),
        ]
        query = {"bindings_inherit": new["bindingsInherit"]} if "bindingsInherit" in new else None
        answer = self.access.client.call("PUT", _path(new), parts=parts, query=query)
        return {"placement": {}, **picked(answer, COMPUTED), **new}


def metadata(new: Props) -> str:
    """The metadata part's text, keys sorted, with the defaults that the real provider adds."""
    sent: dict[str, Any] = {"logpush": False, "usage_model": "standard"}
    for key, value in new.items():
        if key in _NOT_METADATA or value is None:
            continue
        if key in _OWN_KEYS:
            sent[key] = {name: to_api(item) for name, item in value.items()}
        elif key == "annotations":
            sent[key] = {_ANNOTATIONS.get(name, name): text for name, text in value.items()}
        elif key == "bindings":
            sent[key] = [binding(each) for each in value]
        else:
            sent |= to_api({key: value})
    return json.dumps(sent, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def binding(given: Props) -> Any:
    """One binding as Cloudflare takes it, of a type that is known here or not."""
    own = {snake(key): _json(value) for key, value in given.items() if key in _OWN_VALUES}
    rest = {key: value for key, value in given.items() if key not in _OWN_VALUES}
    return {**to_api(rest), **own}


def _json(value: Value) -> Any:
    """A value whose keys stay as they are; a text that is JSON stands for what it says."""
    if isinstance(value, str):
        try:
            return parse_json(value)
        except JsonError:
            return value
    return json.loads(json_text(value))


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workers/scripts/{known['scriptName']}"
