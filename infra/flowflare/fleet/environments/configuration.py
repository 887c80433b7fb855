"""Derive an ephemeral stack's configuration from another stack's, with nothing shared.

Settings that would collide with the other stack in the account are removed: names set by hand,
routes, custom domains. Settings that protect lasting data are reset: protection, suspension,
`allowDataLoss`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowflare.config.files import Project, ProjectFile
from flowflare.config.load import load_stack
from flowflare.config.problems import mapping
from flowflare.config.schema import NAMESPACE
from flowflare.config.values import as_text, merge_clients, parse_mapping
from flowflare.config.yaml_nodes import YamlText
from flowflare.errors import ConfigError, FleetError, Problem
from flowflare.fleet.tenants.stack_text import read_keys, stack_text
from flowflare.model.stack import StackSpec
from flowflare.reading.files import read_bytes

#: Earlier versions name the documentation differently after this text.
_SIGN: Final = "# Written by `flowflare env up` ("
_MARK: Final = f"{_SIGN}flowflare docs environments): removed when its time is over."
_KEPT: Final = "# The next `env up` writes it anew, and `env down` or `env sweep` removes it."
_PREFIX: Final = f"{NAMESPACE}:"
#: Keys that are removed, each with the value that resets it if the project sets it for all stacks.
_REMOVED: Final[Mapping[str, Any]] = {
    "names": {},
    "routes": [],
    "domains": [],
    "allowDataLoss": {},
    "suspended": False,
    "trackerTag": None,
}
#: Fields of clients that are removed.
_OF_CLIENTS: Final = ("routes", "domains")


def is_ephemeral(text: str) -> bool:
    """Return whether `env up` of this or an earlier version has written a stack's file."""
    return text.startswith(_SIGN)


@dataclass(frozen=True)
class Ephemeral:
    """An ephemeral stack's configuration.

    Attributes:
        project: the project with the content of its file, which may not be written yet.
    """

    project: Project
    spec: StackSpec

    @property
    def text(self) -> str:
        """The content of its file."""
        return self.project.stack_text


def make_ephemeral(shared: ProjectFile, base: str, stack: str, environment: str) -> Ephemeral:
    """Make the configuration of an ephemeral stack.

    Args:
        base: the stack whose configuration is the base.

    Raises:
        ConfigError: the configuration of the base, or the derived configuration, has problems.
        FleetError: another stack has the same names, or the stack would take over Durable Object
            classes of another script.
    """
    written, problems = shared.read_stack_file(base), list[Problem]()
    project = shared.parse_stack(base, written)
    present = read_keys(written, problems)
    if problems:
        raise ConfigError(problems)
    named = mapping(present.pop("config", None))
    config = {key if ":" in key else f"{project.name}:{key}": value for key, value in named.items()}
    config = dict(sorted(_isolate(config, project, environment).items()))
    spec = _check(config, project, stack, environment)
    text = stack_text(config, present, head=(_MARK, _KEPT))
    name = shared.stack_file(stack).name
    return Ephemeral(shared.parse_stack(stack, YamlText(name, text)), spec)


def _isolate(config: dict[str, Any], project: Project, environment: str) -> dict[str, Any]:
    whole = {key.removeprefix(_PREFIX): value.text for key, value in project.values.items()}
    wanted = dict(config)
    for key, without in _REMOVED.items():
        wanted.pop(_PREFIX + key, None)
        if key in whole and _PREFIX + key not in config and without is not None:
            wanted[_PREFIX + key] = without
    wanted[_PREFIX + "environment"] = environment
    wanted[_PREFIX + "protect"] = False
    if whole.get("workersDev", "true") != "true":
        wanted[_PREFIX + "workersDev"] = True  # without routes and domains, its only address
    overrides = parse_mapping(whole.get("clientOverrides"))
    for name, fields in merge_clients(whole.get("clients"), whole.get("clientOverrides")).items():
        own = dict(_isolate_client(fields))
        if own:
            overrides[name] = mapping(overrides.get(name)) | own
    if overrides:
        wanted[_PREFIX + "clientOverrides"] = overrides
    return wanted


def _isolate_client(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """List a client's fields that must change so that it does not collide with the other stack."""
    for key in _OF_CLIENTS:
        if fields.get(key):
            yield key, []
    if fields.get("workersDev") is False:
        yield "workersDev", True
    databases = mapping(fields.get("databases"))
    if any("name" in mapping(database) for database in databases.values()):
        yield (
            "databases",
            {
                binding: {key: value for key, value in mapping(database).items() if key != "name"}
                for binding, database in databases.items()
            },
        )


def _check(config: Mapping[str, Any], project: Project, stack: str, environment: str) -> StackSpec:
    shared = project.shared
    texts = {key: value.text for key, value in shared.values.items()}
    texts |= {key: as_text(value)[0] for key, value in config.items()}
    spec = load_stack(
        texts, project=project.name, stack=stack, origins=project.places, root=project.root
    )
    _refuse_taken_classes({key.removeprefix(_PREFIX): text for key, text in texts.items()})
    owner = texts.get(f"{_PREFIX}tenant"), environment
    for other in shared.list_stacks():
        if other != stack and _read_owner(project, other) == owner:
            message = f"stack {other} has environment {environment}: their names would collide"
            raise FleetError(message, remedy="Choose another name, for example pr-123.")
    return spec


def _read_owner(project: Project, stack: str) -> tuple[str | None, str]:
    """Read the tenant and the environment of a stack: the start of its names in the account."""
    if stack == project.stack:
        own: dict[str, Any] = {key: value.text for key, value in project.values.items()}
    else:
        file = project.shared.stack_file(stack)
        written = YamlText(file.name, read_bytes(file).decode("utf-8", "replace"))
        own = mapping(written.plain_keys().get("config"))

    def text(key: str) -> str | None:
        shared = project.shared.values.get(_PREFIX + key)
        return own.get(_PREFIX + key) or (shared.text if shared else None)

    return text("tenant"), text("environment") or stack


def _refuse_taken_classes(whole: Mapping[str, str]) -> None:
    """Refuse class migrations that move Durable Objects here from a script of another stack."""
    clients = merge_clients(whole.get("clients"), whole.get("clientOverrides"))
    for name, fields in clients.items():
        for step in fields.get("classMigrations") or ():
            for transfer in mapping(step).get("transferredClasses") or ():
                script = mapping(transfer).get("fromScript")
                if script not in clients:
                    raise FleetError(
                        f"client {name} takes over the class {mapping(transfer).get('from')} from "
                        f"script {script}, which would lose its objects to this environment",
                        remedy="Name a base without that class migration: --from NAME",
                    )
