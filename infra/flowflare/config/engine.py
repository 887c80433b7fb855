"""Determine a stack's engine, and the data folder of the embedded Cloudflare."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from flowflare.errors import ConfigError, Problem

if TYPE_CHECKING:
    from flowflare.config.files import Project

ENGINE: Final = "flowflare:engine"
EngineName = Literal["embedded", "pulumi"]


@dataclass(frozen=True)
class Engine:
    """The properties of an engine.

    Attributes:
        name: its name in configuration and JSON documents.
        needs_emulator: whether its stacks are deployed to the project's embedded Cloudflare.
        needs_cli: whether the Pulumi CLI runs its stacks in separate processes.
        has_refresh: whether its refresh reads the account's values into state. The other engine
            only marks what differs.
    """

    name: EngineName
    needs_emulator: bool
    needs_cli: bool
    has_refresh: bool


_EMBEDDED: Final = Engine("embedded", needs_emulator=True, needs_cli=False, has_refresh=False)
_PULUMI: Final = Engine("pulumi", needs_emulator=False, needs_cli=True, has_refresh=True)


def data_folder(root: Path) -> Path:
    """Return where a project's embedded Cloudflare keeps its data."""
    return root / ".flowflare" / "emulator"


def engine_named(text: str | None) -> Engine:
    """Return the engine that a value of `flowflare:engine` names.

    Args:
        text: the value; None if the key is missing. An unknown name means the Pulumi CLI here;
            `engine_of` refuses it.
    """
    return _EMBEDDED if text == _EMBEDDED.name else _PULUMI


def engine_of(project: "Project") -> Engine:
    """Return the engine that runs a stack.

    Raises:
        ConfigError: the configured engine does not exist.
    """
    value = project.values.get(ENGINE)
    if value is not None and value.text not in (_EMBEDDED.name, _PULUMI.name):
        remedy = "Write `embedded`, or remove the key to use the Pulumi CLI."
        problem = f"`{ENGINE}`: is {value.text!r}, which is not an engine"
        raise ConfigError([Problem(f"{value.file}:{value.line}", problem, remedy)])
    return engine_named(value.text if value else None)
