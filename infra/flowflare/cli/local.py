"""The embedded Cloudflare of a project: where it listens, and that it runs when it is needed."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flowflare.errors import ConfigError, EngineError, Problem

if TYPE_CHECKING:
    from flowflare.config.files import Project

BASE_URL = "cloudflare:baseUrl"
ENGINE = "flowflare:engine"


def require_embedded(project: "Project") -> None:
    """Refuses a stack that is not the embedded engine's.

    Raises:
        EngineError: the stack is the Pulumi CLI's.
        ConfigError: the engine it names does not exist.
    """
    value = project.values.get(ENGINE)
    if value is None:
        raise EngineError(
            f"stack {project.stack} is the Pulumi CLI's: {project.stack_file.name} does not say "
            f"{ENGINE}: embedded",
            remedy=f"Run: pulumi up --stack {project.stack}",
        )
    if value.text != "embedded":
        remedy = "Write `embedded`, or leave the key out for the Pulumi CLI"
        problem = f"{ENGINE} is {value.text!r}"
        raise ConfigError([Problem(f"{value.file}:{value.line}", problem, remedy)])


def data_folder(root: Path) -> Path:
    """Where a project's embedded Cloudflare keeps its data."""
    return root / ".flowflare" / "emulator"


def port(project: "Project") -> int:
    """The port on which the project's embedded Cloudflare listens.

    Raises:
        ConfigError: `cloudflare:baseUrl` is missing or not an address on this machine.
    """
    value = project.values.get(BASE_URL)
    if value is None:
        place = project.stack_file.name
        remedy = f"Add under `config:`  {BASE_URL}: http://127.0.0.1:8787/client/v4"
        raise ConfigError([Problem(place, f"{BASE_URL} is missing", remedy)])
    try:
        address = urlsplit(value.text)
        number = address.port
    except ValueError:
        address, number = urlsplit(""), None
    if address.hostname not in {"127.0.0.1", "localhost", "::1"} or number is None:
        remedy = "Write http://127.0.0.1:8787/client/v4, with a port that is free"
        problem = f"{BASE_URL} is {value.text!r}; the embedded engine works on loopback only"
        raise ConfigError([Problem(f"{value.file}:{value.line}", problem, remedy)])
    return number
