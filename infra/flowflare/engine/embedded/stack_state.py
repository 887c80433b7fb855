"""Read a stack's state and configuration for a run, with the vault that opens both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowflare.config.files import Project, private_folder
from flowflare.engine.configuration import Configuration, open_configuration
from flowflare.state.backend import Backend, Checkpoint
from flowflare.state.checkpoint import Deployment
from flowflare.state.passphrase import Vault, find_passphrase


@dataclass(frozen=True)
class StackState:
    """A stack's state and configuration, read for one run.

    Attributes:
        vault: opens and seals the secrets.
        config: the configuration with its secrets opened.
        checkpoint: the stored version that was read; None if the run must not write.
    """

    deployment: Deployment
    vault: Vault
    config: Configuration
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True)
class Source:
    """A source of state and program other than the stack's backend and this process.

    Attributes:
        read_state: reads the state and opens the configuration. A stack with such a state can be
            previewed, but not written.
        run_program: runs the program in place of `engine.embedded.program.run`.
    """

    read_state: Callable[[], StackState]
    run_program: Callable[..., None] | None = None


def read_stack_state(
    backend: Backend, project: Project, environ: Mapping[str, str], *, check: bool
) -> StackState:
    """Read a stack of the embedded engine from its backend.

    Args:
        backend: where the state is.
        environ: the environment, for the passphrase. Without one, a new stack gets a passphrase.
        check: whether to verify the passphrase, as a run does before it writes.

    Raises:
        StateError: the state cannot be read.
        SecretError: the passphrase is missing or wrong, or a value cannot be opened.
    """
    checkpoint = backend.read_current()
    raw, salt = checkpoint.raw, backend.read_salt(checkpoint.raw)
    wanted = project.encryption_salt or salt
    passphrase = find_passphrase(private_folder(project.root), environ, make=not wanted)
    own = project.salt_place if project.encryption_salt else ""
    vault = Vault(passphrase, wanted, own)
    reader = vault if salt in ("", wanted) else Vault(passphrase, salt)
    if check and wanted:
        vault.check()
    if check and reader is not vault:
        reader.check()
    deployment = backend.read(raw, reader)
    return StackState(deployment, vault, open_configuration(project, vault), checkpoint)


def read_deployment(backend: Backend, project: Project, environ: Mapping[str, str]) -> Deployment:
    """Read only the state; its secrets are decrypted on access.

    Raises:
        StateError: the state cannot be read.
    """
    raw = backend.load()
    passphrase = find_passphrase(project.root / ".flowflare", environ, make=False)
    return backend.read(raw, Vault(passphrase, backend.read_salt(raw)))
