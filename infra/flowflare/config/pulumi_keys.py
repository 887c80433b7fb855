"""Check the top-level keys of `Pulumi.yaml` and `Pulumi.<stack>.yaml`.

A key that Pulumi does not know is refused. Pulumi ignores it: with `confg:` instead of `config:`, a
stack would have no clients, and `up` would delete its present clients. A key that only the Pulumi
CLI uses is listed. `requiredPulumiVersion` concerns the CLI alone, and keys such as `author` and
`template` have no effect on a stack, so they are not listed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
#: Secrets providers that Flowflare supports; an empty value is the passphrase, too.
_OWN_PROVIDERS: Final = ("passphrase", "default", "")
_MEANS: Final = {
    "options": "the state is not refreshed first",
    "plugins": "the plugins of this release are used",
    "packages": "the packages of this release are used",
}


@dataclass(frozen=True)
class CliKey:
    """A key that Flowflare does not read.

    Attributes:
        key: its name, such as `environment` or `runtime.options`.
        value: a short form of its value, without secrets.
        means: the consequence, as a part of a sentence.
    """

    key: str
    value: str
    file: str
    line: int
    means: str

    def __str__(self) -> str:
        value = f" ({self.value})" if self.value else ""
        return f"{self.file}:{self.line}: `{self.key}`{value} is not read: {self.means}"


def find_unknown_keys(
    fields: Mapping[str, Entry], known: Iterable[str], file: str
) -> Iterator[Problem]:
    """List the unknown top-level keys of a file, each with the most similar known key.

    The file of a project in another language is not checked: Pulumi YAML contains its program.

    Args:
        known: `PROJECT_KEYS` or `STACK_KEYS`.
    """
    from flowflare.config.problems import nearest

    runtime = fields.get("runtime")
    if runtime is not None and _read_runtime(runtime.node)[0] not in _PYTHON:
        return
    for key, entry in fields.items():
        if key not in known and not key.startswith(_FOREIGN):
            remedy = f"{nearest(key, known, 'Known keys')} Begin your own keys with `x-`."
            yield Problem(f"{file}:{entry.line}", f"`{key}`: Pulumi has no such key", remedy)


def find_stack_cli_keys(fields: Mapping[str, Entry], file: str) -> Iterator[CliKey]:
    """List the top-level keys of a stack's file that only the Pulumi CLI uses."""
    found = fields.get("environment")
    if found is not None and found.node.value:
        means = "the values of Pulumi ESC are missing"
        yield CliKey("environment", _describe_environments(found.node), file, found.line, means)
    found = fields.get("secretsprovider")
    value = _text(found.node) if found is not None else ""
    if found is not None and value not in _OWN_PROVIDERS:
        means = "the secrets of this stack are not decrypted with its key"
        # The text after the scheme may identify an account.
        yield CliKey("secretsprovider", value.partition("://")[0], file, found.line, means)


def find_project_cli_keys(fields: Mapping[str, Entry], file: str) -> Iterator[CliKey]:
    """List the top-level keys of `Pulumi.yaml` that only the Pulumi CLI uses."""
    for key, means in _MEANS.items():
        found = fields.get(key)
        if found is not None and found.node.value:
            yield CliKey(key, ", ".join(_names(found.node)), file, found.line, means)
    found = fields.get("runtime")
    if found is None:
        return
    name, options = _read_runtime(found.node)
    if name not in _PYTHON:
        yield CliKey("runtime", name, file, found.line, "the program is run with Python")
    elif options:
        means = "the program is run with Flowflare's own Python"
        yield CliKey("runtime.options", ", ".join(options), file, found.line, means)


def _describe_environments(node: yaml.Node) -> str:
    """Return the names in a list of environments, or the digest of an inline definition."""
    if isinstance(node, yaml.SequenceNode) and all(
        isinstance(item, yaml.ScalarNode) for item in node.value
    ):
        return ", ".join(_text(item) for item in node.value)
    digest = hashlib.sha256(yaml.serialize(node).encode()).hexdigest()[:12]
    return f"an inline definition, sha256 {digest}"


def _read_runtime(node: yaml.Node) -> tuple[str, list[str]]:
    """Return the name of the language, and the names of its options."""
    if not isinstance(node, yaml.MappingNode):
        return _text(node), []
    fields = {_text(key): value for key, value in node.value}
    return _text(fields.get("name")), _names(fields.get("options"))


def _names(node: yaml.Node | None) -> list[str]:
    return [_text(key) for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def _text(node: yaml.Node | None) -> str:
    value = scalar(node) if isinstance(node, yaml.ScalarNode) else None
    return "" if value is None else str(value)
