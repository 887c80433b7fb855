"""Open the secrets of a stack's configuration and state, so that the run's filter knows them."""

from collections.abc import Callable, Mapping
from functools import partial

from flowflare.config.files import Project
from flowflare.engine.configuration import open_configuration, open_vault
from flowflare.engine.given_secrets import learn_given_secrets
from flowflare.errors import FlowflareError, SecretError
from flowflare.state.checkpoint import Deployment
from flowflare.values.events import OnEvent, warn
from flowflare.values.properties import Secret, leaves


def learn_stack_secrets(
    project: Project, environ: Mapping[str, str], state: Deployment, on_event: OnEvent | None
) -> None:
    """Open all secrets of a stack, so that the run's filter learns them.

    Args:
        environ: the environment: the passphrase, and variables that are secrets.
        on_event: takes a warning if secrets cannot be opened.
    """
    parts: dict[str, Callable[[], None]] = {
        "configuration": partial(open_configured_secrets, project, environ),
        "state": partial(open_state_secrets, state, set()),
    }
    for part, open_part in parts.items():
        try:
            open_part()
        except (FlowflareError, OSError) as error:
            warn(on_event, describe_unknown(project.stack, part, error))


def open_configured_secrets(project: Project, environ: Mapping[str, str]) -> None:
    """Open the secrets that the configuration has or refers to; the vault reports them.

    Raises:
        SecretError: a secret cannot be opened.
    """
    learn_given_secrets(project, environ)
    if any(value.secret for value in project.values.values()):
        open_configuration(project, open_vault(project, environ))


def open_state_secrets(state: Deployment, opened: set[str]) -> None:
    """Open the secrets of a state, also of operations under way; the vault reports them.

    Args:
        opened: the ciphertexts that were opened before; new ones are added.

    Raises:
        SecretError: a secret cannot be opened; the others were opened.
    """
    failure: SecretError | None = None
    under_way = (operation.resource for operation in state.pending)
    for resource in (*state.resources, *under_way):
        for value in leaves([resource.inputs, resource.outputs]):
            if not isinstance(value, Secret) or value.ciphertext in opened:
                continue
            try:
                value.value  # noqa: B018 -- the vault reports what it opens
            except SecretError as error:
                failure = error
            else:
                opened |= {value.ciphertext} if value.ciphertext else set()
    if failure is not None:
        raise failure


def describe_unknown(stack: str, part: str, error: FlowflareError | OSError) -> str:
    """Write the warning that secrets are not known.

    Args:
        part: `configuration` or `state`.
        error: why.
    """
    reason = error.message if isinstance(error, FlowflareError) else error
    return (
        f"stack {stack}: the secrets of its {part} cannot be read, so they are not replaced in "
        f"what its program shows: {reason}"
    )
