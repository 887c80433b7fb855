"""Generate emulator/runtime/wire.d.ts: the types of wire.schema.json, for JavaScript."""

import json
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).parents[2] / "infra/flowflare/emulator/runtime"
SCHEMA, TYPES = RUNTIME / "wire.schema.json", RUNTIME / "wire.d.ts"
_HEAD = "// The types of wire.schema.json, which describes them. Written by `make javascript`.\n"
_WIDTH = 120
_PRIMITIVES = {
    "boolean": "boolean",
    "integer": "number",
    "null": "null",
    "number": "number",
    "string": "string",
}
#: The parts of JSON Schema that are read; a schema with any other is refused.
_KNOWN = {
    *("$ref", "additionalProperties", "const", "description", "enum"),
    *("items", "oneOf", "properties", "required", "type"),
}


def wire_types() -> str:
    """The TypeScript declarations of every definition of the schema."""
    definitions = json.loads(SCHEMA.read_text("utf-8"))["$defs"]
    return _HEAD + "".join(
        f"export type {name} ={_spaced(_type(schema))};\n" for name, schema in definitions.items()
    )


def _type(schema: dict[str, Any], indent: str = "") -> str:
    assert schema.keys() <= _KNOWN, f"the generator does not know all of {sorted(schema)}"
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix("#/$defs/")
    if "const" in schema or "enum" in schema:
        return " | ".join(_literal(value) for value in schema.get("enum") or [schema["const"]])
    if "oneOf" in schema:
        return _union(schema["oneOf"], indent)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " | ".join(_plain(kind, schema, indent) for kind in kinds)


def _union(parts: list[dict[str, Any]], indent: str) -> str:
    types = [_type(part, indent) for part in parts]
    if sum(map(len, types)) < _WIDTH - 20:
        return " | ".join(types)
    return "".join(f"\n{indent}  | {_type(part, indent + '  ')}" for part in parts)


def _plain(kind: str, schema: dict[str, Any], indent: str) -> str:
    if kind == "array":
        return f"Array<{_type(schema['items'], indent)}>"
    return _object(schema, indent) if kind == "object" else _PRIMITIVES[kind]


def _object(schema: dict[str, Any], indent: str) -> str:
    others = schema.get("additionalProperties", True)
    if "properties" not in schema:
        return f"Record<string, {_type(others, indent) if others else 'never'}>"
    required = schema.get("required", ())
    inside = indent + "  "
    members = [
        f"{name}{'' if name in required else '?'}: {_type(part, inside)};"
        for name, part in schema["properties"].items()
    ]
    line = f"{{ {' '.join(members)} }}"
    if "\n" not in line and len(indent + line) < _WIDTH:
        return line
    return "{\n" + "".join(f"{inside}{member}\n" for member in members) + indent + "}"


def _spaced(text: str) -> str:
    return text if text.startswith("\n") else f" {text}"


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    TYPES.write_text(wire_types(), "utf-8")
