"""Check that parsed JSON has the shape of a Pulumi checkpoint before it is used.

`null`, a list or `{"latest": ""}` must not look like the state of a stack without resources:
`destroy` would succeed and delete nothing. Field names and types are those of
`sdk/go/common/apitype/core.go` of pulumi/pulumi.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from flowflare.errors import StateError
from flowflare.values.urns import parse

_WORD: Final = re.compile(r"[A-Za-z]+(-[A-Za-z]+)*")
_WORDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_LATEST: Final[Mapping[str, type]] = {
    "manifest": dict,
    "secrets_providers": dict,
    "resources": list,
    "pending_operations": list,
    "metadata": dict,
}
_RESOURCE: Final[Mapping[str, type]] = {
    **dict.fromkeys(
        ("urn", "type", "id", "parent", "provider", "deletedWith", "created", "modified"), str
    ),
    **dict.fromkeys(
        ("custom", "delete", "protect", "retainOnDelete", "pendingReplacement", "external"), bool
    ),
    **dict.fromkeys(("inputs", "outputs", "propertyDependencies", "customTimeouts"), dict),
}
_TEXT_LISTS: Final = (
    "dependencies",
    "initErrors",
    "additionalSecretOutputs",
    "ignoreChanges",
    "replaceOnChanges",
    "replaceWith",
)


def refuse_foreign(raw: Any) -> None:
    """Refuse a checkpoint of a format version or with features that this engine does not read.

    Raises:
        StateError: it has another version, or unknown features.
    """
    if not isinstance(raw, dict):
        return  # `check_checkpoint` reports it
    version, features = raw.get("version"), raw.get("features") or ()
    if version not in (3, 4) or features:
        listed = ", ".join(map(format_word, features)) if isinstance(features, list) else "unknown"
        named = f" with the features {listed:.100}" if features else ""
        number = version if isinstance(version, int) else "unknown"
        raise StateError(
            f"the state has the format version {number}{named}; this engine reads version 3"
        )


def format_word(value: Any) -> str:
    """Return a word of a state for a message; `unknown` if it is not only letters and hyphens.

    In a damaged state a ciphertext may be anywhere, but it always contains other characters.
    """
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "unknown"


def check_checkpoint(raw: Any) -> None:
    """Check a checkpoint of format version 3.

    Raises:
        ValueError: the shape is wrong; the message says where.
    """
    _require(raw, dict, "the file")
    checkpoint = raw.get("checkpoint")
    _require(checkpoint, dict, "`checkpoint`")
    latest = checkpoint.get("latest")
    if latest is None and isinstance(checkpoint.get("stack"), str):
        return  # `pulumi stack init` writes nothing more
    check_deployment(latest, "`checkpoint.latest`")


def check_deployment(latest: Any, place: str = "`deployment`") -> None:
    """Check a deployment: what a checkpoint calls `latest` and an export `deployment`.

    Args:
        place: its name in messages.

    Raises:
        ValueError: the shape is wrong; the message says where.
    """
    _require(latest, dict, place)
    _check_fields(latest, _LATEST, place)
    if not _LATEST.keys() & latest.keys():
        raise ValueError(f"{place} has no field of a deployment, not even `manifest`")
    live: dict[str, int] = {}
    for index, resource in enumerate(latest.get("resources") or ()):
        _check_resource(resource, f"`resources[{index}]`")
        if not resource.get("delete"):
            first = live.setdefault(resource["urn"], index)
            if first != index:
                raise ValueError(f"`resources[{index}]` has the URN of `resources[{first}]`")
    for index, operation in enumerate(latest.get("pending_operations") or ()):
        at = f"`pending_operations[{index}]`"
        _require(operation, dict, at)
        _require(operation.get("type"), str, f"`type` of {at}")
        _check_resource(operation.get("resource"), f"`resource` of {at}")


def _check_resource(raw: Any, place: str) -> None:
    _require(raw, dict, place)
    for name in ("urn", "type"):
        _require(raw.get(name), str, f"`{name}` of {place}")
    _check_urn(raw["urn"], f"`urn` of {place}")
    _check_fields(raw, _RESOURCE, place)
    for name in _TEXT_LISTS:
        _check_texts(raw.get(name), f"`{name}` of {place}")
    for name, urns in (raw.get("propertyDependencies") or {}).items():
        _check_texts(urns, f"`propertyDependencies.{name}` of {place}")


def _check_urn(urn: str, place: str) -> None:
    try:
        parse(urn)
    except ValueError:
        # A damaged state can have a secret anywhere, so the message does not quote it.
        raise ValueError(f"{place} is not a URN") from None


def _check_fields(raw: Mapping[str, Any], types: Mapping[str, type], place: str) -> None:
    for name, wanted in types.items():
        if raw.get(name) is not None:
            _require(raw[name], wanted, f"`{name}` of {place}")


def _check_texts(value: Any, place: str) -> None:
    if value is None:
        return
    _require(value, list, place)
    for item in value:
        _require(item, str, f"an item in {place}")


def _require(value: Any, wanted: type, place: str) -> None:
    if not isinstance(value, wanted):
        found = _WORDS.get(type(value), "something else")
        raise ValueError(f"{place} is {found}, not {_WORDS[wanted]}")  # noqa: TRY004 -- JSON's types
