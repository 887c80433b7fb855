"""Find the keys of Pulumi's own files that only the Pulumi CLI uses.

The keys are fields of `ProjectStack` and `Project` in Pulumi's sdk/go/common/workspace/project.go
(v3.274). `requiredPulumiVersion` only concerns the CLI, and keys such as `author` and `template`
have no effect on a stack, so they are not included.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from flowflare.config.yaml_nodes import Entry, scalar

#: Secrets providers that Flowflare supports; an empty value is the passphrase, too.
_OWN_PROVIDERS: Final = ("passphrase", "default", "")
_PYTHON: Final = "python"


@dataclass(frozen=True)
class CliKey:
    """A key that Flowflare does not read.

    Attributes:
        key: its name, such as `environment` or `runtime.options`.
        value: a short form of its value, without secrets.
        file: the file's name.
        line: its line.
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


def find_cli_keys(
    project: Mapping[str, Entry], stack: Mapping[str, Entry], *, files: tuple[str, str]
) -> tuple[CliKey, ...]:
    """Find the keys in a project's and a stack's file.

    Args:
        project: the top-level keys of `Pulumi.yaml`.
        stack: the top-level keys of the stack's file.
        files: the names of both files.
    """
    return (*_find_in_stack(stack, files[1]), *_find_in_project(project, files[0]))


def _find_in_stack(fields: Mapping[str, Entry], file: str) -> Iterator[CliKey]:
    found = fields.get("environment")
    if found is not None and not _is_empty(found.node):
        means = "the values of Pulumi ESC are missing"
        yield CliKey("environment", _describe_environments(found.node), file, found.line, means)
    found = fields.get("secretsprovider")
    value = _text(found.node) if found is not None else ""
    if found is not None and value not in _OWN_PROVIDERS:
        means = "the secrets of this stack are not decrypted with its key"
        # The text after the scheme may identify an account.
        yield CliKey("secretsprovider", value.partition("://")[0], file, found.line, means)


def _find_in_project(fields: Mapping[str, Entry], file: str) -> Iterator[CliKey]:
    means = {
        "options": "the state is not refreshed first",
        "plugins": "the plugins of this release are used",
        "packages": "the packages of this release are used",
    }
    for key, what in means.items():
        found = fields.get(key)
        if found is not None and not _is_empty(found.node):
            yield CliKey(key, ", ".join(_names(found.node)), file, found.line, what)
    found = fields.get("runtime")
    if found is None:
        return
    name, options = _read_runtime(found.node)
    if name not in (_PYTHON, ""):
        yield CliKey("runtime", name, file, found.line, "the program is run with Python")
    elif options:
        what = "the program is run with Flowflare's own Python"
        yield CliKey("runtime.options", ", ".join(options), file, found.line, what)


def _describe_environments(node: yaml.Node) -> str:
    """Return the names in a list of environments, or the digest of an inline definition."""
    if isinstance(node, yaml.SequenceNode) and all(
        isinstance(item, yaml.ScalarNode) for item in node.value
    ):
        return ", ".join(_text(item) for item in node.value)
    digest = hashlib.sha256(yaml.serialize(node).encode()).hexdigest()[:12]
    return f"an inline definition, sha256 {digest}"


def _read_runtime(node: yaml.Node) -> tuple[str, Sequence[str]]:
    if not isinstance(node, yaml.MappingNode):
        return _text(node), ()
    fields = {_text(key): value for key, value in node.value}
    options = fields.get("options")
    return _text(fields.get("name")), _names(options) if options is not None else ()


def _names(node: yaml.Node) -> list[str]:
    return [_text(key) for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def _text(node: yaml.Node | None) -> str:
    value = scalar(node) if isinstance(node, yaml.ScalarNode) else None
    return "" if value is None else str(value)


def _is_empty(node: yaml.Node) -> bool:
    return not node.value
