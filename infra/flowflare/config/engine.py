"""Tells which engine runs a stack, and where the embedded one's Cloudflare keeps its data."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from flowflare.errors import ConfigError, Problem

if TYPE_CHECKING:
    from flowflare.config.files import Project

ENGINE: Final = "flowflare:engine"


def data_folder(root: Path) -> Path:
    """Return where a project's embedded Cloudflare keeps its data."""
    return root / ".flowflare" / "emulator"


def is_embedded(project: "Project") -> bool:
    """Whether the stack is the embedded engine's; otherwise it is the Pulumi CLI's.

    Raises:
        ConfigError: the engine that it names does not exist.
    """
    value = project.values.get(ENGINE)
    if value is None or value.text == "pulumi":
        return False
    if value.text != "embedded":
        remedy = "Write `embedded`, or leave the key out for the Pulumi CLI."
        problem = f"`{ENGINE}`: is {value.text!r}, which is no engine"
        raise ConfigError([Problem(f"{value.file}:{value.line}", problem, remedy)])
    return True
