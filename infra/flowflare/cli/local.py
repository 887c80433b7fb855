"""The embedded Cloudflare of a project: find its port, and start it when it is needed."""

import re
import socket
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from flowflare.cli.options import make_stack_option
from flowflare.config.engine import ENGINE, data_folder, engine_of
from flowflare.errors import ConfigError, EmulatorError, EngineError, Problem
from flowflare.reading.json_text import parse_json

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.emulator.process import Running

BASE_URL = "cloudflare:baseUrl"
API = "/client/v4"
EXAMPLE = f"http://127.0.0.1:8780{API}"
# The emulator listens on 127.0.0.1, and `localhost` resolves to it.
_WARNED: set[Path] = set()
_LOCAL = re.compile(rf"http://(?:127\.0\.0\.1|localhost):([1-9][0-9]{{0,4}}){API}/?")


def require_embedded(project: "Project", pulumi: str = "up") -> int:
    """Refuse a stack of another engine, or whose API is not on this machine.

    Args:
        pulumi: the Pulumi CLI's name for the command, which the error suggests.

    Returns:
        The port of the stack's embedded Cloudflare.

    Raises:
        EngineError: the Pulumi CLI deploys the stack.
        ConfigError: its engine does not exist, or `cloudflare:baseUrl` is missing or not
            an address on this machine.
    """
    if not engine_of(project).needs_emulator:
        raise EngineError(
            f"stack {project.stack} uses the Pulumi CLI: {project.stack_file.name} does not say "
            f"{ENGINE}: embedded",
            remedy=f"Run: pulumi {pulumi} --stack {quote(project.stack)}",
        )
    _warn_of_former_token(project)
    return _read_port(project)


def _warn_of_former_token(project: "Project") -> None:
    """Warn once per process and project that the fixed token of earlier versions is ignored."""
    found = project.former_token
    if found is not None and project.root not in _WARNED:
        _WARNED.add(project.root)
        from flowflare.cli.console import print_message

        print_message(
            f"warning: {found.file}:{found.line}: cloudflare:apiToken is the fixed token of "
            "earlier versions, which is no longer accepted; the token of this project's own "
            "embedded Cloudflare is used. Delete the line."
        )


def _read_port(project: "Project") -> int:
    value = project.values.get(BASE_URL)
    if value is None:
        place = project.stack_file.name
        remedy = f"Add under `config:`  {BASE_URL}: {EXAMPLE}"
        raise ConfigError([Problem(place, f"`{BASE_URL}`: is missing", remedy)])
    if match := _LOCAL.fullmatch(value.text):
        return int(match.group(1))
    remedy = f"Write {EXAMPLE}, with a free port."
    problem = "the embedded engine works on loopback only, at http://127.0.0.1:PORT/client/v4"
    message = f"`{BASE_URL}`: is {value.text!r}; {problem}"
    raise ConfigError([Problem(f"{value.file}:{value.line}", message, remedy)])


def is_running(project: "Project") -> bool:
    """Return whether the project's embedded Cloudflare runs."""
    from flowflare.emulator import process

    return process.find_running(data_folder(project.root)) is not None


def require_running(project: "Project") -> "Running":
    """Return the project's embedded Cloudflare, without starting it.

    Raises:
        EmulatorError: it does not run, or runs on another port.
    """
    port = require_embedded(project)
    from flowflare.emulator import process

    running = process.find_running(data_folder(project.root))
    if running is None:
        raise EmulatorError(
            "its embedded Cloudflare does not run",
            remedy=f"Start it: flowflare emulator start{make_stack_option(project.stack)}",
        )
    return _check_port(running, port, project)


def ensure_running(project: "Project") -> "Running":
    """Start the project's embedded Cloudflare unless it runs, and return it.

    Raises:
        NodeError: Node or its packages are missing and cannot be installed.
        EmulatorError: its port is taken, it does not start, or runs on another port.
    """
    port = require_embedded(project)
    from flowflare.cli.console import open_stderr, print_message
    from flowflare.emulator import process
    from flowflare.render.node import ensure_node_packages

    running = process.find_running(data_folder(project.root))
    if running is not None:
        return _check_port(running, port, project)
    with open_stderr().status("Starting the embedded Cloudflare") as status:
        programs = ensure_node_packages(print_message, root=project.root)
        settings = process.Settings(
            data=data_folder(project.root),
            port=port,
            node=programs.node,
            node_modules=programs.node_modules,
        )
        try:
            running = process.start(settings, status.update)
        except EmulatorError as error:
            raise _explain_port(project, port) or error from None
    print_message(f"The embedded Cloudflare answers on {running.base_url}")
    return running


def _check_port(running: "Running", port: int, project: "Project") -> "Running":
    if running.port == port:
        return running
    raise EmulatorError(
        f"the embedded Cloudflare of this project runs on port {running.port}, but "
        f"{_place(project)} says {port}",
        remedy="Stop it; it starts on the new port next time: flowflare emulator stop",
    )


def _explain_port(project: "Project", port: int) -> EmulatorError | None:
    """Return an error that names what uses the port, or None if the port is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = _describe_listener(port) or error.strerror or str(error)
        else:
            return None
    return EmulatorError(
        f"the embedded Cloudflare cannot listen on port {port} ({_place(project)}): {reason}",
        remedy=f"Stop what uses it, or write a free port there: {BASE_URL}: "
        f"http://127.0.0.1:{_find_free_port()}{API}",
    )


def _describe_listener(port: int) -> str | None:
    """Describe the embedded Cloudflare that listens on the port; None for another program."""
    import httpx

    try:
        health = parse_json(
            httpx.get(f"http://127.0.0.1:{port}/emulator/health", timeout=1).content
        )
        data = Path(health["data"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return None
    name = data.parents[1] if data.parts[-2:] == (".flowflare", "emulator") else data
    return f"the embedded Cloudflare of {name} uses it (process {health.get('pid')})"


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _place(project: "Project") -> str:
    value = project.values[BASE_URL]
    return f"{BASE_URL} in {value.file}:{value.line}"
