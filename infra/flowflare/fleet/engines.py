"""Opens a fleet's stacks on their engines, so that every call to Cloudflare can be counted.

The state is the same with the forwarder as without it: the CLI's stacks get its address in the
environment, which no state keeps, and the embedded engine's clients are opened at it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flowflare.config.engine import Engine, engine_of
from flowflare.config.files import Project
from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.fleet.forwarder.limit import is_loopback

if TYPE_CHECKING:
    from flowflare.api import Connector
    from flowflare.engine.contract import Stack

BASE_URL: Final = "cloudflare:baseUrl"
#: Bytes of memory for a stack of the CLI: 340 MiB measured for the CLI (100), its language host,
#: the program, the plugin of dynamic resources (50 each) and a worker, with Cloudflare's plugin,
#: which is a Go program of unknown size, reckoned at twice what stands in for it in tests.
MEMORY_OF_CLI: Final = 512 * 1024 * 1024


def opened(
    project: Project,
    environ: Mapping[str, str],
    forwarder: str | None = None,
    *,
    api: "Connector | None" = None,
) -> "Stack":
    """One stack of a fleet, ready for a run.

    Args:
        project: the project seen through the stack.
        environ: the stack's environment, its passphrase and token among it.
        forwarder: the address of the fleet's forwarder with its token; None to call directly.
        api: opens the embedded engine's clients instead; must go through the forwarder itself.

    Raises:
        ConfigError: the engine that it names does not exist, or the address of a CLI's stack
            stands in its configuration, where it would lead past the forwarder.
        EngineError: it is the Pulumi CLI's, which is not installed or of another version.
    """
    from flowflare.engine.contract import open_stack

    if forwarder is not None and engine_of(project).needs_cli:
        from flowflare.fleet.forwarder.address import environment

        refuse_own_address(project)
        environ = environment(forwarder, project.stack, environ)
    elif forwarder is not None and api is None:
        from flowflare.fleet.forwarder.connector import ForwardedConnector

        api = ForwardedConnector(forwarder, project.stack)
    return open_stack(project, environ, api=api)


class Prepared:
    """The environments of a fleet's stacks; what its CLIs need is checked once.

    Args:
        root: the project's folder.
        environ_of: makes a stack's environment.
        needs_cli: whether the Pulumi CLI runs any of the stacks.
    """

    def __init__(
        self, root: Path, environ_of: Callable[[str], Mapping[str, str]], *, needs_cli: bool
    ) -> None:
        self._root = root
        self._environ_of = environ_of
        self._unchecked = needs_cli
        self._refused: FlowflareError | None = None

    def environ_of(self, stack: str) -> Mapping[str, str]:
        """A stack's environment; the first call looks for the CLI and for its plugins.

        Raises:
            EngineError: there is no CLI, or a plugin is not installed.
        """
        environ = self._environ_of(stack)
        if self._unchecked:
            self._unchecked = False
            self._refused = _missing(self._root, environ)
        if self._refused is not None:
            raise self._refused  # of every stack
        return environ


def _missing(root: Path, environ: Mapping[str, str]) -> FlowflareError | None:
    from flowflare.engine.pulumi.command import require_cli
    from flowflare.engine.pulumi.plugins import require_plugins

    what = "this fleet"
    try:
        require_plugins(what, root, require_cli(environ, what), environ)
    except FlowflareError as error:
        return error
    return None


def refuse_own_address(project: Project) -> None:
    """Refuse an API's address in the configuration of a CLI's stack.

    Raises:
        ConfigError: there is one.
    """
    value = project.values.get(BASE_URL)
    if value is None or not engine_of(project).needs_cli:
        return
    problem = address_problem(f"{value.file}:{value.line}", value.text, engine_of(project))
    assert problem is not None
    raise ConfigError([problem])


def address_problem(place: str, address: str, engine: Engine) -> Problem | None:
    """Say why a stack of a fleet cannot have this address as its `cloudflare:baseUrl`.

    Cloudflare's provider prefers it to the environment's address and keeps it in state, so that
    the calls of a CLI's stack would not be counted.

    Args:
        place: file and line of the address.
        address: the address.
        engine: the stack's engine.

    Returns:
        The problem; None where the address can be used.
    """
    if engine.needs_cli:
        message = "a fleet's calls go through one budget, and this address would lead past it"
        remedy = "Take it out here and set CLOUDFLARE_BASE_URL in the environment instead."
        return Problem(place, f"`{BASE_URL}`: {message}", remedy)
    if is_loopback(address):
        return None
    message = f"is {address!r:.100}, and the embedded engine works on loopback only"
    remedy = "Write http://127.0.0.1:PORT/client/v4, or take `flowflare:engine` out."
    return Problem(place, f"`{BASE_URL}`: {message}", remedy)
