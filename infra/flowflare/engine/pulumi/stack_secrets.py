"""Learns the secrets of a stack of the Pulumi CLI, so that what its program shows is filtered.

The program runs in a process of the CLI, which hides what the configuration marks as secret and
nothing else (https://www.pulumi.com/docs/iac/concepts/secrets). So before a text of the program is
shown, the secrets of the configuration, of its sources and of the state are opened here. The state
is read again if a step has ended since: a program can print what was generated a moment ago.
"""

import contextlib
from collections.abc import Callable, Mapping

from flowflare.config.files import Project
from flowflare.engine.backend import Backend
from flowflare.engine.configuration import open_configuration
from flowflare.engine.given_secrets import learn_given_secrets
from flowflare.engine.passphrase import Vault, find_passphrase
from flowflare.engine.pulumi.state import Export, backend_url, from_export
from flowflare.engine.pulumi.stream import EngineEvent
from flowflare.engine.state import Deployment
from flowflare.engine.values import Secret, leaves
from flowflare.errors import FlowflareError, SecretError
from flowflare.redaction.redactor import current
from flowflare.storage.opened import open_store


class StackSecrets:
    """The secrets of one stack, opened when there is a text to filter.

    Args:
        project: the project seen through the stack.
        environ: the environment: the passphrase, and where the state is.
        export: runs `pulumi stack export --show-secrets`, for a state that only the CLI can read.
    """

    def __init__(self, project: Project, environ: Mapping[str, str], export: Export) -> None:
        self._project = project
        self._environ = environ
        self._export = export
        self._knows_configuration = False
        self._knows_state = False
        self._opened: set[str | None] = set()

    def follow(self, take: Callable[[EngineEvent], None]) -> Callable[[EngineEvent], None]:
        """Make the run's filter ask for the secrets, and note when the state has new ones.

        Args:
            take: takes an operation's events.

        Returns:
            What takes them instead.
        """
        if (redactor := current()) is not None:
            redactor.learn_later(self._learn)

        def followed(event: EngineEvent) -> None:
            if event.res_outputs_event is not None:
                self._knows_state = False
            take(event)

        return followed

    def _learn(self) -> None:
        """Learn what is new. What cannot be opened here stays unknown."""
        if not self._knows_configuration:
            self._knows_configuration = True
            learn_given_secrets(self._project, self._environ)
            with contextlib.suppress(FlowflareError, OSError):
                self._open_configuration()
        if not self._knows_state:
            self._knows_state = True
            with contextlib.suppress(FlowflareError, OSError):
                self._open_state()

    def _open_configuration(self) -> None:
        folder = self._project.root / ".flowflare"
        passphrase = find_passphrase(folder, self._environ, make=False)
        vault = Vault(passphrase, self._project.encryption_salt or "")
        open_configuration(self._project, vault)  # the vault reports what it opens

    def _open_state(self) -> None:
        for resource in self._read_state().resources:
            for value in leaves([resource.inputs, resource.outputs]):
                if isinstance(value, Secret) and value.ciphertext not in self._opened:
                    self._opened |= {value.ciphertext} if value.ciphertext else set()
                    with contextlib.suppress(SecretError):
                        value.value  # noqa: B018 -- the vault reports what it opens

    def _read_state(self) -> Deployment:
        root, environ = self._project.root, self._environ
        url = backend_url(root, environ)
        if not url.startswith(("file://", "s3://")):
            return from_export(self._export())
        store = open_store(url, environ, base=root)
        backend = Backend(store, self._project.name, self._project.stack)
        raw = backend.load()
        passphrase = find_passphrase(root / ".flowflare", environ, make=False)
        return backend.read(raw, Vault(passphrase, backend.salt(raw)))
