"""Makes an ephemeral stack's configuration of another stack's: its own names, nothing shared.

Whatever would meet the other stack in the account is left out: names set by hand, routes, custom
domains. What is meant for data that stays is undone: protection, suspension, reasons for losing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowflare.config.files import Base, Project, as_text, read_base, read_project, stacks_of
from flowflare.config.load import load_stack
from flowflare.config.problems import mapping
from flowflare.config.schema import NAMESPACE
from flowflare.errors import ConfigError, FleetError, Problem
from flowflare.fleet.tenants.stack_text import parsed, stack_text
from flowflare.model.stack import StackSpec
from flowflare.reading.files import read_bytes, read_text
from flowflare.reading.json_text import parse_json

#: Files of earlier versions name the documentation in another way behind it.
_SIGN: Final = "# Written by `flowflare env up` ("
_MARK: Final = f"{_SIGN}flowflare docs environments): removed when its time is over."
_KEPT: Final = "# The next `env up` writes it anew, and `env down` or `env sweep` removes it."
_PREFIX: Final = f"{NAMESPACE}:"
#: Keys that are left out, with what undoes them where every stack of the project has them.
_LEFT_OUT: Final[Mapping[str, Any]] = {
    "names": {},
    "routes": [],
    "domains": [],
    "allowDataLoss": {},
    "suspended": False,
    "trackerTag": None,
}
#: Fields of clients that are left out.
_OF_CLIENTS: Final = ("routes", "domains")


def is_ephemeral(text: str) -> bool:
    """Whether this version or an earlier one has written a stack's file for `env up`."""
    return text.startswith(_SIGN)


@dataclass(frozen=True)
class Ephemeral:
    """An ephemeral stack's configuration.

    Attributes:
        text: what its file holds.
        spec: what it describes.
    """

    text: str
    spec: StackSpec


def ephemeral(root: Path, base: str, stack: str, environment: str) -> Ephemeral:
    """The configuration of an ephemeral stack.

    Args:
        root: the project's folder.
        base: the stack whose configuration it gets.
        stack: the stack's name.
        environment: its environment.

    Raises:
        ConfigError: the base's configuration, or what becomes of it, is not in order.
        FleetError: another stack has these names, or the stack would take classes from another.
    """
    project = read_project(root, base)
    problems: list[Problem] = []
    present = parsed(project.stack_file.name, read_text(project.stack_file), problems)
    if problems:
        raise ConfigError(problems)
    named = mapping(present.pop("config", None))
    config = {key if ":" in key else f"{project.name}:{key}": one for key, one in named.items()}
    config = dict(sorted(_changed(config, project, environment).items()))
    spec = _checked(config, project, stack, environment)
    return Ephemeral(stack_text(config, present, head=(_MARK, _KEPT)), spec)


def _changed(config: dict[str, Any], project: Project, environment: str) -> dict[str, Any]:
    whole = {key.removeprefix(_PREFIX): value.text for key, value in project.values.items()}
    wanted = dict(config)
    for key, without in _LEFT_OUT.items():
        wanted.pop(_PREFIX + key, None)
        if key in whole and _PREFIX + key not in config and without is not None:
            wanted[_PREFIX + key] = without
    wanted[_PREFIX + "environment"] = environment
    wanted[_PREFIX + "protect"] = False
    if whole.get("workersDev", "true") != "true":
        wanted[_PREFIX + "workersDev"] = True  # it has no other address
    overrides = mapping(_parsed(whole.get("clientOverrides")))
    for name, fields in _clients(whole).items():
        own = dict(_alone(fields))
        if own:
            overrides[name] = mapping(overrides.get(name)) | own
    if overrides:
        wanted[_PREFIX + "clientOverrides"] = overrides
    return wanted


def _clients(whole: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The clients as the stack has them, overrides laid over."""
    overrides = mapping(_parsed(whole.get("clientOverrides")))
    return {
        name: mapping(fields) | mapping(overrides.get(name))
        for name, fields in mapping(_parsed(whole.get("clients"))).items()
    }


def _alone(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields of a client that differ where it must not meet the other stack's."""
    for key in _OF_CLIENTS:
        if fields.get(key):
            yield key, []
    if fields.get("workersDev") is False:
        yield "workersDev", True
    databases = mapping(fields.get("databases"))
    if any("name" in mapping(one) for one in databases.values()):
        yield (
            "databases",
            {
                binding: {key: value for key, value in mapping(one).items() if key != "name"}
                for binding, one in databases.items()
            },
        )


def _checked(
    config: Mapping[str, Any], project: Project, stack: str, environment: str
) -> StackSpec:
    base = read_base(project.root)
    texts = {key: value.text for key, value in base.values.items()}
    texts |= {key: as_text(value)[0] for key, value in config.items()}
    spec = load_stack(
        texts, project=project.name, stack=stack, origins=project.places, root=project.root
    )
    _refuse_taken_classes({key.removeprefix(_PREFIX): text for key, text in texts.items()})
    whose = texts.get(f"{_PREFIX}tenant"), environment
    for other in stacks_of(project.root):
        if other != stack and _whose(base, other) == whose:
            message = f"environment {environment} is that of stack {other}: their names would meet"
            raise FleetError(message, remedy="Choose another name, for example pr-123.")
    return spec


def _whose(base: Base, stack: str) -> tuple[str | None, str]:
    """The tenant and the environment of a stack, which its names in the account begin with."""
    problems: list[Problem] = []
    file = base.stack_folder / f"Pulumi.{stack}.yaml"
    own = mapping(
        parsed(file.name, read_bytes(file).decode("utf-8", "replace"), problems).get("config")
    )

    def text(key: str) -> str | None:
        shared = base.values.get(_PREFIX + key)
        return own.get(_PREFIX + key) or (shared.text if shared else None)

    return text("tenant"), text("environment") or stack


def _refuse_taken_classes(whole: Mapping[str, str]) -> None:
    """Objects move when a class is taken over: the other stack's would be gone."""
    clients = _clients(whole)
    for name, fields in clients.items():
        for step in fields.get("classMigrations") or ():
            for one in mapping(step).get("transferredClasses") or ():
                script = mapping(one).get("fromScript")
                if script not in clients:
                    raise FleetError(
                        f"client {name} takes the class {mapping(one).get('from')} over from "
                        f"script {script}, which would lose its objects to this environment",
                        remedy="Name a base without that class migration: --from NAME",
                    )


def _parsed(text: str | None) -> Any:
    try:
        return parse_json(text or "null")
    except ValueError:
        return None
