"""Convert between the engine's values and the protobuf structs of Pulumi's resource protocol.

Signatures and strings of unknowns are from Pulumi's `sdk/go/common/resource/properties.go`.
"""

from typing import TYPE_CHECKING, Final

from flowflare.values.properties import UNKNOWN, Asset, Props, Reference, Secret, Value, new_secret

if TYPE_CHECKING:
    from google.protobuf import struct_pb2  # type: ignore[import-untyped]

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- the mark of one, not one
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWN_TEXTS: Final = frozenset(
    {
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
    }
)


def read_struct(struct: "struct_pb2.Struct") -> Props:
    """Read the properties of a request, sorted; a top-level None counts as missing.

    The order of a protobuf map differs between processes (protobuf.dev, Maps). Without sorting, it
    would change states and reports.
    """
    read = {key: read_value(item) for key, item in sorted(struct.fields.items())}
    return {key: item for key, item in read.items() if item is not None}


def read_value(value: "struct_pb2.Value") -> Value:
    """Read one value of a request.

    Raises:
        ValueError: a map has a signature that this engine does not know, or lacks its fields.
    """
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = {key: read_value(item) for key, item in sorted(value.struct_value.fields.items())}
        return from_signature(fields) if SIGNATURE in fields else fields
    if kind == "list_value":
        return [read_value(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWN_TEXTS else value.string_value
    if kind == "number_value":
        return value.number_value
    if kind == "bool_value":
        return value.bool_value
    return None


def from_signature(fields: Props) -> Value:
    """Return the special value of a map with a signature, whose other fields are already read.

    Raises:
        ValueError: the signature is not known, or one of its fields is missing. The message quotes
            no values, because any value in a damaged state may be secret.
    """
    signature = fields[SIGNATURE]
    rest = {key: item for key, item in fields.items() if key != SIGNATURE}
    if signature == SECRET:
        inner = _get_required(rest, "value")
        return inner if isinstance(inner, Secret) else new_secret(inner)
    if signature == OUTPUT:
        inner = rest.get("value", UNKNOWN)
        return new_secret(inner) if rest.get("secret") and not isinstance(inner, Secret) else inner
    if signature in (ASSET, ARCHIVE):
        return Asset(signature == ARCHIVE, rest)
    if signature == RESOURCE:
        version = str(rest.get("packageVersion") or "")
        return Reference(str(_get_required(rest, "urn")), rest.get("id"), version)
    raise ValueError("a value has a signature that this engine does not know")


def _get_required(fields: Props, name: str) -> Value:
    if name not in fields:
        raise ValueError(f"a value with a signature has no {name!r}")
    return fields[name]


def to_signature(value: Asset | Reference) -> Props:
    """Convert an asset or a reference to the map with a signature that is sent and stored."""
    if isinstance(value, Asset):
        return {SIGNATURE: ARCHIVE if value.archive else ASSET, **value.fields}
    fields: Props = {SIGNATURE: RESOURCE, "urn": value.urn, "packageVersion": value.version}
    return fields if value.id is None else {**fields, "id": value.id}


def write_struct(props: Props) -> "struct_pb2.Struct":
    """Write properties as the struct of a response."""
    from google.protobuf import struct_pb2

    struct = struct_pb2.Struct()
    struct.update({key: wire(item) for key, item in props.items()})
    return struct


def wire(value: Value) -> Value:
    """Convert a value to the JSON value that is sent."""
    if isinstance(value, dict):
        return {key: wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wire(item) for item in value]
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": wire(value.value)}
    if isinstance(value, Asset | Reference):
        return wire(to_signature(value))
    return UNKNOWN_TEXT if value is UNKNOWN else value
