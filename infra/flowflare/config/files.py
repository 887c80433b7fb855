"""Read `Pulumi.yaml` and `Pulumi.<stack>.yaml` as the Pulumi CLI does.

A stack's key replaces the whole value of the project's key; values are not merged. Every value
keeps its place, so that later problems name the file and line. Secrets stay encrypted here; the
engine decrypts them with the passphrase.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from flowflare.config.cli_keys import CliKey, find_cli_keys
from flowflare.config.file_keys import PROJECT_KEYS, STACK_KEYS, find_unknown_keys
from flowflare.config.former_token import API_TOKEN, find_former_token
from flowflare.config.yaml_nodes import Entry, ValueReader, entries, read_tree, scalar
from flowflare.errors import ConfigError, Problem

PROJECT_FILE = "Pulumi.yaml"
_SALT = "encryptionsalt"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_STACK_FILE = re.compile(r"Pulumi\.(.+)\.yaml")
# The fields that Pulumi allows in the declaration of a key in Pulumi.yaml.
_DECLARATION = frozenset({"value", "default", "type", "description", "secret", "items"})


@dataclass(frozen=True)
class ConfigValue:
    """One configuration value in the form that the program receives.

    Attributes:
        text: a plain string, a boolean or number as text, or the JSON text of a structured value.
        secret: whether the value or a leaf of it is `{"secure": "v1:..."}`; `text` is then the
            ciphertext, or the JSON text with the secure leaves.
        file: the name of its file.
        line: the line of its key.
    """

    text: str
    secret: bool
    file: str
    line: int


@dataclass(frozen=True)
class Project:
    """A Pulumi project with the configuration of one of its stacks.

    Attributes:
        root: the folder of `Pulumi.yaml`.
        name: the project's name.
        main: the folder of the program.
        stack: the stack's name.
        values: full key (`flowflare:clients`) to its value; the stack's value if both files have
            the key.
        encryption_salt: `encryptionsalt` of the stack's file; None if it is missing.
        salt_place: the file and line of the salt, or the file.
        stack_file: the stack's file.
        places: the file and line of each key and of every key inside its value, joined by dots.
        cli_keys: keys that only the Pulumi CLI uses.
        former_token: the fixed token of earlier versions, which is not in `values`.
    """

    root: Path
    name: str
    main: Path
    stack: str
    values: Mapping[str, ConfigValue]
    encryption_salt: str | None
    salt_place: str
    stack_file: Path
    places: Mapping[str, tuple[str, int]]
    cli_keys: tuple[CliKey, ...] = ()
    former_token: ConfigValue | None = None

    def cli_key(self, name: str) -> CliKey | None:
        """Return the key with a name that only the Pulumi CLI uses, if the files have it."""
        return next((found for found in self.cli_keys if found.key == name), None)


def read_project(root: Path, stack: str) -> Project:
    """Read a project with the configuration of one of its stacks.

    Args:
        root: the folder of `Pulumi.yaml`.
        stack: the stack's name.

    Raises:
        ConfigError: a file is missing, is not YAML or has a wrong shape; the error lists all
            problems of both files.
    """
    problems: list[Problem] = []
    project_file = root / PROJECT_FILE
    if not project_file.exists():
        problem = Problem(
            PROJECT_FILE,
            f"the file does not exist in {root}",
            "Run this in a project's folder, or create a project: flowflare init DIR",
        )
        raise ConfigError([problem])
    fields = _top_level(project_file, problems)
    name = _project_name(fields, problems) or "project"
    stack_folder = root / (_text(fields, "stackConfigDir") or "")
    stack_file = stack_folder / f"Pulumi.{stack}.yaml"
    values, places = _read_config(PROJECT_FILE, fields, name, problems, declared=True)
    stack_fields: Mapping[str, Entry] = {}
    if stack_file.exists():
        stack_fields = _top_level(stack_file, problems)
        own, own_places = _read_config(stack_file.name, stack_fields, name, problems)
        values |= own
        places = {
            path: place for path, place in places.items() if path.split(".", 1)[0] not in own
        } | own_places
    else:
        problems.append(_report_missing(stack_folder, stack))
    if problems:
        raise ConfigError(problems)
    former_token = find_former_token(values)
    if former_token is not None:
        del values[API_TOKEN]
    return Project(
        root=root,
        name=name,
        main=root / (_text(fields, "main") or ""),
        stack=stack,
        values=values,
        encryption_salt=_text(stack_fields, _SALT),
        salt_place=_place(stack_file.name, stack_fields.get(_SALT)),
        stack_file=stack_file,
        places=places,
        cli_keys=find_cli_keys(fields, stack_fields, files=(PROJECT_FILE, stack_file.name)),
        former_token=former_token,
    )


@dataclass(frozen=True)
class Base:
    """The configuration that all stacks of a project share, from `Pulumi.yaml`.

    Attributes:
        root: the folder of `Pulumi.yaml`.
        name: the project's name.
        stack_folder: the folder of the stacks' files.
        values: full key to its value.
        places: the file and line of each key and of every key inside its value, joined by dots.
    """

    root: Path
    name: str
    stack_folder: Path
    values: Mapping[str, ConfigValue]
    places: Mapping[str, tuple[str, int]]


def read_base(root: Path) -> Base:
    """Read only `Pulumi.yaml`.

    Args:
        root: the folder of `Pulumi.yaml`.

    Raises:
        ConfigError: the file has problems; the error lists all of them.
    """
    problems: list[Problem] = []
    fields = _top_level(root / PROJECT_FILE, problems)
    name = _project_name(fields, problems) or "project"
    values, places = _read_config(PROJECT_FILE, fields, name, problems, declared=True)
    if problems:
        raise ConfigError(problems)
    return Base(root, name, root / (_text(fields, "stackConfigDir") or ""), values, places)


def stacks_in(folder: Path) -> list[str]:
    """List the names of the stacks with a file in a folder, sorted."""
    found = (_STACK_FILE.fullmatch(path.name) for path in folder.glob("Pulumi.*.yaml"))
    return sorted(match.group(1) for match in found if match)


def stacks_of(root: Path) -> list[str]:
    """List the names of a project's stacks, sorted.

    Raises:
        ConfigError: `Pulumi.yaml` cannot be read.
    """
    problems: list[Problem] = []
    fields = _top_level(root / PROJECT_FILE, problems)
    if problems:
        raise ConfigError(problems)
    return stacks_in(root / (_text(fields, "stackConfigDir") or ""))


def _top_level(path: Path, problems: list[Problem]) -> dict[str, Entry]:
    node = read_tree(path, problems)
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        text = "has no keys; a mapping such as `config:` is expected"
        problems.append(Problem(f"{path.name}:{node.start_mark.line + 1}", text))
        return {}
    fields = {entry.key: entry for entry in entries(node, path.name, problems)}
    known = PROJECT_KEYS if path.name == PROJECT_FILE else STACK_KEYS
    problems += find_unknown_keys(fields, known, path.name)
    return fields


def _text(fields: Mapping[str, Entry], key: str) -> str | None:
    entry = fields.get(key)
    value = scalar(entry.node) if entry and isinstance(entry.node, yaml.ScalarNode) else None
    return None if value is None else str(value)


def _place(file: str, entry: Entry | None) -> str:
    return f"{file}:{entry.line}" if entry else file


def _project_name(fields: Mapping[str, Entry], problems: list[Problem]) -> str | None:
    name = _text(fields, "name")
    if not problems and not (name and _NAME.fullmatch(name)):
        line = fields["name"].line if "name" in fields else 1
        text = f"`name` is {name!r}" if name else "`name` is missing"
        remedy = "Write the project's name: letters, digits, `-`, `_`, `.`, for example flowflare."
        problems.append(Problem(f"{PROJECT_FILE}:{line}", text, remedy))
    return name


def _report_missing(folder: Path, stack: str) -> Problem:
    known = stacks_in(folder)
    remedy = f"Stacks here: {', '.join(known)}." if known else "No stack has a file here yet."
    name = f"Pulumi.{stack}.yaml"
    return Problem(name, f"stack `{stack}` has no such file", f"{remedy} A new stack needs {name}.")


def _read_config(
    file: str,
    fields: Mapping[str, Entry],
    project: str,
    problems: list[Problem],
    *,
    declared: bool = False,
) -> tuple[dict[str, ConfigValue], dict[str, tuple[str, int]]]:
    """Read the `config:` block of a file; `declared` selects the rules of Pulumi.yaml."""
    block = fields.get("config")
    if block is None or (isinstance(block.node, yaml.ScalarNode) and scalar(block.node) is None):
        return {}, {}
    if not isinstance(block.node, yaml.MappingNode):
        text = "`config` has no keys; write one `namespace:key: value` per line"
        problems.append(Problem(f"{file}:{block.line}", text))
        return {}, {}
    values: dict[str, ConfigValue] = {}
    reader = ValueReader(file, problems)
    for entry in entries(block.node, file, problems):
        key = entry.key if ":" in entry.key else f"{project}:{entry.key}"
        node = _read_declaration(entry, file, problems) if declared else entry.node
        if node is None:
            continue
        value = reader.value(node, key, entry.line)
        if value is None:
            remedy = f"Give `{key}` a value, or delete the line."
            problems.append(Problem(f"{file}:{entry.line}", f"`{key}` has no value", remedy))
            continue
        text, secret = as_text(value)
        values[key] = ConfigValue(text, secret, file, entry.line)
    return values, reader.places


def _read_declaration(entry: Entry, file: str, problems: list[Problem]) -> yaml.Node | None:
    """Read a key's value in Pulumi.yaml, where a structured value is written under `value:`."""
    if isinstance(entry.node, yaml.ScalarNode):
        return entry.node
    place = f"{file}:{entry.line}"
    inner: dict[str, Entry] = {}
    if isinstance(entry.node, yaml.MappingNode):
        inner = {item.key: item for item in entries(entry.node, file, problems)}
    unknown = sorted(set(inner) - _DECLARATION)
    if not inner or unknown:
        text = f"`{entry.key}`: in {PROJECT_FILE}, a structured value must be under `value:`"
        remedy = f"Below `{entry.key}:`, write an indented `value:` with the value."
        problems.append(Problem(place, text, remedy))
        return None
    found = inner.get("value") or inner.get("default")
    return found.node if found else None


def as_text(value: object) -> tuple[str, bool]:
    """Return a value as a program receives it, and whether it contains a secret (`ConfigValue`)."""
    if isinstance(value, dict) and set(value) == {"secure"}:
        return str(value["secure"]), True
    if isinstance(value, bool):
        return str(value).lower(), False
    if isinstance(value, (dict, list)):
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text, _has_secret(value)
    return str(value), False


def _has_secret(value: object) -> bool:
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_has_secret(item) for item in value.values())
    return isinstance(value, list) and any(_has_secret(item) for item in value)


def private_folder(root: Path) -> Path:
    """Return the project's `.flowflare` for state and caches; create it with a `.gitignore`."""
    folder = root / ".flowflare"
    ignore = folder / ".gitignore"
    if not ignore.is_file():
        folder.mkdir(exist_ok=True)
        ignore.write_text("*\n", encoding="utf-8")
    return folder
