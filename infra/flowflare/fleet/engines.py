"""Open a fleet's stacks on their engines, so that every call to Cloudflare can be counted.

State is the same with and without the forwarder. Stacks of the Pulumi CLI get its address in an
environment variable, which is not stored in state. The embedded engine opens its clients there.
"""

from collections.abc import Callable, Mapping
from typing import Final

from flowflare.api import Connector
from flowflare.config.engine import Engine, engine_of
from flowflare.config.files import Project, ProjectFile
from flowflare.engine.contract import Stack, open_stack
from flowflare.engine.pulumi_cli.command import require_cli
from flowflare.engine.pulumi_cli.plugins import require_plugins
from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.fleet.forwarder.address import make_environ
from flowflare.fleet.forwarder.connector import ForwardedConnector
from flowflare.fleet.forwarder.limit import is_loopback

BASE_URL: Final = "cloudflare:baseUrl"
#: Bytes of memory that a stack of the Pulumi CLI needs. Measured: 340 MiB for the CLI (100), its
#: language host, the program, the plugin of dynamic resources (50 each) and a worker process. The
#: size of Cloudflare's plugin, a Go program, is estimated at twice its substitute in the tests.
MEMORY_OF_CLI: Final = 512 * 1024 * 1024


def open_fleet_stack(
    project: Project,
    environ: Mapping[str, str],
    forwarder: str | None = None,
    *,
    api: Connector | None = None,
) -> Stack:
    """Open one stack of a fleet for a run.

    Args:
        environ: the stack's environment variables, including its passphrase and token.
        forwarder: the address of the fleet's forwarder with its token; None to call the API
            directly.
        api: a connector for the embedded engine to use instead. It must use the forwarder itself.

    Raises:
        ConfigError: the configured engine does not exist, or the configuration of a stack of the
            Pulumi CLI sets an API address, which would bypass the forwarder.
        EngineError: the stack needs the Pulumi CLI, which is not installed or has another version.
    """
    if forwarder is not None and engine_of(project).needs_cli:
        refuse_own_address(project)
        environ = make_environ(forwarder, project.stack, environ)
    elif forwarder is not None and api is None:
        api = ForwardedConnector(forwarder, project.stack)
    return open_stack(project, environ, api=api)


class CheckedEnvirons:
    """Make the environment variables of a fleet's stacks, and check the Pulumi CLI once.

    Args:
        needs_cli: whether any of the stacks needs the Pulumi CLI.
    """

    def __init__(
        self,
        project: ProjectFile,
        environ_of: Callable[[str], Mapping[str, str]],
        *,
        needs_cli: bool,
    ) -> None:
        self._project = project
        self._environ_of = environ_of
        self._unchecked = needs_cli
        self._refused: FlowflareError | None = None

    def environ_of(self, stack: str) -> Mapping[str, str]:
        """Return a stack's environment variables; the first call looks for the CLI and its plugins.

        Raises:
            EngineError: the CLI or one of its plugins is not installed.
        """
        environ = self._environ_of(stack)
        if self._unchecked:
            self._unchecked = False
            self._refused = _find_missing(self._project, environ)
        if self._refused is not None:
            raise self._refused  # for every stack
        return environ


def _find_missing(project: ProjectFile, environ: Mapping[str, str]) -> FlowflareError | None:
    what = "this fleet"
    try:
        require_plugins(what, project, require_cli(environ, what), environ)
    except FlowflareError as error:
        return error
    return None


def refuse_own_address(project: Project) -> None:
    """Refuse an API address in the configuration of a stack of the Pulumi CLI.

    Raises:
        ConfigError: the configuration sets `cloudflare:baseUrl`.
    """
    value = project.values.get(BASE_URL)
    if value is None or not engine_of(project).needs_cli:
        return
    problem = find_address_problem(f"{value.file}:{value.line}", value.text, engine_of(project))
    assert problem is not None
    raise ConfigError([problem])


def find_address_problem(place: str, address: str, engine: Engine) -> Problem | None:
    """Find out why a stack of a fleet cannot have this address as its `cloudflare:baseUrl`.

    Cloudflare's provider prefers it to the address in the environment and stores it in state, so
    calls of a stack of the Pulumi CLI would not be counted.

    Args:
        place: the file and line of the address.

    Returns:
        The problem; None if the address can be used.
    """
    if engine.needs_cli:
        message = "a fleet's calls share one budget, and this address would bypass it"
        remedy = "Remove it here, and set the environment variable CLOUDFLARE_BASE_URL instead."
        return Problem(place, f"`{BASE_URL}`: {message}", remedy)
    if is_loopback(address):
        return None
    message = f"is {address!r:.100}, but the embedded engine only calls loopback addresses"
    remedy = "Write http://127.0.0.1:PORT/client/v4, or remove `flowflare:engine`."
    return Problem(place, f"`{BASE_URL}`: {message}", remedy)
