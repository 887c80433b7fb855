"""The embedded Cloudflare of a project: where it listens, and that it runs when it is needed."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flowflare.errors import ConfigError, EngineError, Problem

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.emulator.process import Running

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


def ensure_running(project: "Project") -> "Running":
    """Starts the project's embedded Cloudflare if none runs, and says where it answers.

    Raises:
        NodeError: Node or its packages are missing and cannot be installed.
        EmulatorError: its port is taken, or it does not start.
    """
    from flowflare.cli.console import messages
    from flowflare.emulator import process
    from flowflare.render.node import ensure_node_packages

    running = process.status(data_folder(project.root))
    if running is not None:
        return running
    with messages().status("Starting the embedded Cloudflare") as status:
        programs = ensure_node_packages(
            lambda text: messages().print(text, markup=False), root=project.root
        )
        settings = process.Settings(
            data=data_folder(project.root),
            port=port(project),
            node=programs.node,
            node_modules=programs.node_modules,
        )
        running = process.start(settings, status.update)
    messages().print(f"The embedded Cloudflare answers on {running.base_url}", markup=False)
    return running
