"""Refuse top-level keys of `Pulumi.yaml` and `Pulumi.<stack>.yaml` that Pulumi does not know.

Pulumi ignores unknown keys. With `confg:` instead of `config:`, a stack would have no clients, and
`up` would delete its present clients.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import yaml

from flowflare.config.yaml_nodes import Entry, scalar
from flowflare.errors import Problem

#: The fields of `Project` in Pulumi's sdk/go/common/workspace/project.go (v3.274).
PROJECT_KEYS: Final = frozenset(
    {
        *("name", "runtime", "main", "description", "author", "website", "license", "config"),
        *("stackConfigDir", "template", "backend", "options", "packages", "plugins"),
        "requiredPulumiVersion",
    }
)
#: The fields of `ProjectStack` in the same file.
STACK_KEYS: Final = frozenset(
    {"config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"}
)
# The prefixes of keys for other programs and for YAML anchors.
_FOREIGN: Final = ("x-", "$")
_PYTHON: Final = ("python", "")


def find_unknown_keys(
    fields: Mapping[str, Entry], known: Iterable[str], file: str
) -> list[Problem]:
    """List the unknown top-level keys of a file, each with the most similar known key.

    Args:
        fields: the file's top-level keys.
        known: `PROJECT_KEYS` or `STACK_KEYS`.
        file: the file's name.
    """
    if _has_program(fields):
        return []
    known = set(known)
    unknown = [
        entry for key, entry in fields.items() if key not in known and not key.startswith(_FOREIGN)
    ]
    return [_refuse(entry, known, file) for entry in unknown]


def _refuse(entry: Entry, known: set[str], file: str) -> Problem:
    from flowflare.config.problems import nearest

    remedy = f"{nearest(entry.key, known, 'Known keys')} Begin your own keys with `x-`."
    return Problem(f"{file}:{entry.line}", f"`{entry.key}`: Pulumi has no such key", remedy)


def _has_program(fields: Mapping[str, Entry]) -> bool:
    """Return whether the project uses another language; a Pulumi YAML file contains its program."""
    runtime = fields.get("runtime")
    if runtime is None:
        return False
    node: yaml.Node | None = runtime.node
    if isinstance(node, yaml.MappingNode):
        named = [value for key, value in node.value if key.value == "name"]
        node = named[0] if named else None
    return isinstance(node, yaml.ScalarNode) and str(scalar(node) or "") not in _PYTHON
