"""Read `Pulumi.yaml` and `Pulumi.<stack>.yaml` as the Pulumi CLI does, each once in a command.

A `ProjectFile` and a `Project` hold what a command needs of the files, and are passed on: typed
values with their places, the engine, the backend, the salt. A stack's key replaces the whole value
of the project's key; values are not merged. Every value keeps its place, so that later problems
name the file and line. Secrets stay encrypted here; the engine decrypts them with the passphrase.

Only a file that the command itself has written is read again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from flowflare.config.pulumi_keys import (
    PROJECT_KEYS,
    STACK_KEYS,
    CliKey,
    find_project_cli_keys,
    find_stack_cli_keys,
    find_unknown_keys,
)
from flowflare.config.values import ConfigValue, read_values
from flowflare.config.yaml_nodes import Entry, ValueReader, YamlText, entries, scalar
from flowflare.errors import ConfigError, Problem

PROJECT_FILE = "Pulumi.yaml"
API_TOKEN: Final = "cloudflare:apiToken"  # noqa: S105 -- a key of the configuration
#: The token that earlier versions wrote into projects, which is ignored. The embedded Cloudflare
#: accepted any token then, so every user of the machine could read what was deployed there. Now
#: each data folder has its own token, which the embedded engine reads.
FORMER_TOKEN: Final = "flowflare-embedded-cloudflare-no-secret-0"  # noqa: S105 -- no secret
_SALT = "encryptionsalt"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_STACK_FILE = re.compile(r"Pulumi\.(.+)\.yaml")


@dataclass(frozen=True)
class ProjectFile:
    """`Pulumi.yaml`: the project, and the configuration that all its stacks share.

    Attributes:
        root: the folder of `Pulumi.yaml`.
        main: the folder of the program.
        values: full key to its value.
        places: the file and line of each key and of every key inside its value, joined by dots.
        backend_url: `backend: url:`; empty if it is missing.
        runtime_options: `runtime: options:`.
        own_plugins: the names of the plugins that `plugins: providers:` takes from a folder.
        cli_keys: keys that only the Pulumi CLI uses.
        problems: what is wrong with the file, unless `read_project_file` has checked it.
        is_readable: whether the file's keys could be read, even if some are wrong.
    """

    root: Path
    name: str
    main: Path
    stack_folder: Path
    values: Mapping[str, ConfigValue]
    places: Mapping[str, tuple[str, int]]
    backend_url: str
    runtime_options: Mapping[str, Any]
    own_plugins: tuple[str, ...]
    cli_keys: tuple[CliKey, ...]
    problems: tuple[Problem, ...] = ()
    is_readable: bool = True

    def stack_file(self, stack: str) -> Path:
        """Return the path of a stack's file, which may not exist."""
        return self.stack_folder / f"Pulumi.{stack}.yaml"

    def list_stacks(self) -> list[str]:
        """List the names of the project's stacks, sorted.

        Raises:
            ConfigError: the keys of `Pulumi.yaml` cannot be read.
        """
        if not self.is_readable:
            raise ConfigError(self.problems)
        return stacks_in(self.stack_folder)

    def read_stack(self, stack: str) -> "Project":
        """Read and parse the file of one of the project's stacks.

        Raises:
            ConfigError: a file has problems; the error lists all problems of both files.
        """
        return self.parse_stack(stack, self.read_stack_file(stack))

    def read_stack_file(self, stack: str) -> YamlText:
        """Read the file of one of the project's stacks.

        Raises:
            ConfigError: it is missing or unusable; the error lists the problems of `Pulumi.yaml`.
        """
        path, problems = self.stack_file(stack), list(self.problems)
        text = YamlText.read(path, problems) if path.exists() else None
        if text is None:
            missing = [] if path.exists() else [_report_missing(self.stack_folder, stack)]
            raise ConfigError([*problems, *missing])
        return text

    def parse_stack(self, stack: str, written: YamlText) -> "Project":
        """Parse the text of a stack's file.

        Raises:
            ConfigError: a file has problems; the error lists all problems of both files.
        """
        problems = list(self.problems)
        fields = _top_level(written, STACK_KEYS, problems)
        own, own_places = read_values(written.name, fields, self.name, problems)
        if problems:
            raise ConfigError(problems)
        values = {**self.values, **own}
        shared = {
            path: place for path, place in self.places.items() if path.split(".", 1)[0] not in own
        }
        former_token = None
        if (token := values.get(API_TOKEN)) is not None and token.text == FORMER_TOKEN:
            former_token = values.pop(API_TOKEN)
        return Project(
            shared=self,
            stack=stack,
            values=values,
            encryption_salt=_text(fields, _SALT),
            secrets_provider=_text(fields, "secretsprovider") or "",
            salt_place=_place(written.name, fields.get(_SALT)),
            stack_text=written.text,
            places=shared | own_places,
            cli_keys=(*find_stack_cli_keys(fields, written.name), *self.cli_keys),
            former_token=former_token,
        )


@dataclass(frozen=True)
class Project:
    """A Pulumi project with the configuration of one of its stacks.

    Attributes:
        shared: what `Pulumi.yaml` says.
        values: full key (`flowflare:clients`) to its value; the stack's value if both files have
            the key.
        encryption_salt: `encryptionsalt` of the stack's file; None if it is missing.
        secrets_provider: `secretsprovider` of the stack's file; empty if it is missing.
        salt_place: the file and line of the salt, or the file.
        places: the file and line of each key and of every key inside its value, joined by dots.
        cli_keys: keys that only the Pulumi CLI uses.
        former_token: the fixed token of earlier versions, which is not in `values`.
    """

    shared: ProjectFile
    stack: str
    values: Mapping[str, ConfigValue]
    encryption_salt: str | None
    secrets_provider: str
    salt_place: str
    stack_text: str
    places: Mapping[str, tuple[str, int]]
    cli_keys: tuple[CliKey, ...] = ()
    former_token: ConfigValue | None = None

    @property
    def root(self) -> Path:
        """The folder of `Pulumi.yaml`."""
        return self.shared.root

    @property
    def name(self) -> str:
        """The project's name."""
        return self.shared.name

    @property
    def main(self) -> Path:
        """The folder of the program."""
        return self.shared.main

    @property
    def stack_file(self) -> Path:
        """The stack's file."""
        return self.shared.stack_file(self.stack)

    def cli_key(self, name: str) -> CliKey | None:
        """Return the key with a name that only the Pulumi CLI uses, if the files have it."""
        return next((found for found in self.cli_keys if found.key == name), None)


def read_project(root: Path, stack: str) -> Project:
    """Read a project with the configuration of one of its stacks.

    Args:
        root: the folder of `Pulumi.yaml`.

    Raises:
        ConfigError: a file is missing, is not YAML or has a wrong shape; the error lists all
            problems of both files.
    """
    return read_project_file(root, check=False).read_stack(stack)


def read_project_file(root: Path, *, check: bool = True) -> ProjectFile:
    """Read `Pulumi.yaml`.

    Args:
        check: whether problems are raised. If not, they are raised with those of a stack's file.

    Raises:
        ConfigError: the file is missing, or has problems; the error lists all of them.
    """
    problems: list[Problem] = []
    path = root / PROJECT_FILE
    if not path.exists():
        problem = Problem(
            PROJECT_FILE,
            f"the file does not exist in {root}",
            "Run this in a project's folder, or create a project: flowflare init DIR",
        )
        raise ConfigError([problem])
    fields = _top_level(YamlText.read(path, problems), PROJECT_KEYS, problems)
    is_readable = not problems
    name = _project_name(fields, problems) or "project"
    values, places = read_values(PROJECT_FILE, fields, name, problems, declared=True)
    if check and problems:
        raise ConfigError(problems)
    plugins = _inside(fields, "plugins", "providers")
    options = _inside(fields, "runtime", "options")
    return ProjectFile(
        root=root,
        name=name,
        main=root / (_text(fields, "main") or ""),
        stack_folder=root / (_text(fields, "stackConfigDir") or ""),
        values=values,
        places=places,
        backend_url=str(_inside(fields, "backend", "url") or ""),
        runtime_options=options if isinstance(options, dict) else {},
        own_plugins=tuple(
            str(plugin.get("name"))
            for plugin in (plugins if isinstance(plugins, list) else ())
            if isinstance(plugin, dict)
        ),
        cli_keys=tuple(find_project_cli_keys(fields, PROJECT_FILE)),
        problems=tuple(problems),
        is_readable=is_readable,
    )


def stacks_in(folder: Path) -> list[str]:
    """List the names of the stacks with a file in a folder, sorted."""
    found = (_STACK_FILE.fullmatch(path.name) for path in folder.glob("Pulumi.*.yaml"))
    return sorted(match.group(1) for match in found if match)


def _top_level(
    written: YamlText | None, known: frozenset[str], problems: list[Problem]
) -> dict[str, Entry]:
    node = written.parse(problems) if written else None
    if written is None or node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        text = "has no keys; a mapping such as `config:` is expected"
        problems.append(Problem(f"{written.name}:{node.start_mark.line + 1}", text))
        return {}
    fields = {entry.key: entry for entry in entries(node, written.name, problems)}
    problems += find_unknown_keys(fields, known, written.name)
    return fields


def _inside(fields: Mapping[str, Entry], key: str, inner: str) -> Any:
    """Return the plain value of a key inside a top-level key; None if there is none."""
    entry = fields.get(key)
    value = ValueReader("", []).value(entry.node, "", 1) if entry else None
    return value.get(inner) if isinstance(value, dict) else None


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


def private_folder(root: Path) -> Path:
    """Return the project's `.flowflare` for state and caches; create it with a `.gitignore`."""
    folder = root / ".flowflare"
    ignore = folder / ".gitignore"
    if not ignore.is_file():
        folder.mkdir(exist_ok=True)
        ignore.write_text("*\n", encoding="utf-8")
    return folder
