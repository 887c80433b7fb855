"""Learn the secrets of a stack of the Pulumi CLI, so that its program's output is filtered.

The program runs in a process of the CLI, which hides only what the configuration marks as secret
(https://www.pulumi.com/docs/iac/concepts/secrets). So before a string of the program is
shown, the secrets of the configuration, of its sources and of the state are opened here. The state
is read again after a step with secrets: a program can print what was generated a moment ago.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from flowflare.config.files import Project
from flowflare.engine.given_secrets import learn_given_secrets
from flowflare.engine.known_secrets import (
    describe_unknown,
    open_configured_secrets,
    open_state_secrets,
)
from flowflare.engine.pulumi_cli.state import Export, find_cli_store, from_export
from flowflare.engine.pulumi_cli.stream import EngineEvent
from flowflare.errors import FlowflareError, SecretError
from flowflare.redaction.run import get_current, learn
from flowflare.state.backend import Backend
from flowflare.state.checkpoint import Deployment, read_secrets_provider
from flowflare.state.passphrase import Vault, find_passphrase
from flowflare.values.events import Event
from flowflare.values.show import SECRET_TEXT

_ATTEMPTS: Final = 3


class StackSecrets:
    """The secrets of one stack, opened when there is a string to filter.

    Args:
        environ: the environment: the passphrase, and where the state is.
        export: runs `pulumi stack export --show-secrets`, for a state that only the CLI can open.
        config: runs `pulumi config --show-secrets --json`, for such a configuration.
    """

    def __init__(
        self,
        project: Project,
        environ: Mapping[str, str],
        export: Export,
        config: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._project = project
        self._environ = environ
        self._export = export
        self._config = config
        self._lock = threading.Lock()
        self._note: Callable[[Event], None] = _ignore
        self._knows_configuration = False
        self._knows_state = False
        self._failures = {"configuration": 0, "state": 0}
        self._opened: set[str] = set()
        self._tag: str | None = None

    def follow(
        self, take: Callable[[EngineEvent], None], note: Callable[[Event], None]
    ) -> Callable[[EngineEvent], None]:
        """Make the run's filter ask for the secrets, and note when the state has new ones.

        Args:
            take: takes an operation's events.
            note: takes a warning if secrets cannot be read.

        Returns:
            A function that takes the events instead of `take`.
        """
        self.watch(note)

        def take_and_watch(event: EngineEvent) -> None:
            take(event)
            ended = event.res_outputs_event
            # The CLI writes the state just after this event, so the state is read again later.
            if ended is not None and SECRET_TEXT in str(ended.metadata.new):
                self._knows_state = False

        return take_and_watch

    def watch(self, note: Callable[[Event], None]) -> None:
        """Make the run's filter ask for the secrets.

        Args:
            note: takes a warning if secrets cannot be read.
        """
        self._note = note
        self._knows_state = False
        self._failures = dict.fromkeys(self._failures, 0)
        if (redactor := get_current()) is not None:
            redactor.learn_later(self._learn)

    def _learn(self) -> None:
        """Learn new secrets; a warning reports those that cannot be opened here."""
        with self._lock:
            if not self._knows_configuration:
                self._knows_configuration = self._try("configuration", self._open_configuration)
            if not self._knows_state:
                # A file or an object is checked each time: it may be written at any moment.
                self._knows_state = self._try("state", self._open_state) and self._tag is None

    def _try(self, what: str, read: Callable[[], None]) -> bool:
        """Read secrets, unless that failed too often; return whether they are known."""
        if self._failures[what] >= _ATTEMPTS:
            return False
        try:
            read()
        except (FlowflareError, OSError) as error:
            self._failures[what] += 1
            if self._failures[what] == _ATTEMPTS:
                message = describe_unknown(self._project.stack, what, error)
                self._note(Event("note", severity="warning", message=message))
            return False
        return True

    def _open_configuration(self) -> None:
        project = self._project
        has_secrets = any(value.secret for value in project.values.values())
        if not has_secrets or project.encryption_salt:
            open_configured_secrets(project, self._environ)
            return
        learn_given_secrets(project, self._environ)
        for value in self._config().values():  # another secrets provider than the passphrase
            if value.get("secret"):
                learn(value.get("value"))

    def _open_state(self) -> None:
        deployment = self._read_state()
        if deployment is None:
            return
        try:
            open_state_secrets(deployment, self._opened)
        except SecretError:
            self._tag = ""
            raise

    def _read_state(self) -> Deployment | None:
        """Read the state; return None if it is the version that was read before."""
        project, environ = self._project, self._environ
        store = find_cli_store(project.shared, environ)
        if store is None:
            return from_export(self._export())
        backend = Backend(store, project.name, project.stack)
        tag = backend.read_tag()
        if tag == self._tag:
            return None
        present = backend.read_current()
        if read_secrets_provider(present.raw) not in ("", "passphrase"):
            deployment = from_export(self._export())
        else:
            passphrase = find_passphrase(project.root / ".flowflare", environ, make=False)
            deployment = backend.read(
                present.raw, Vault(passphrase, backend.read_salt(present.raw))
            )
        self._tag = present.tag
        return deployment


def _ignore(event: Event) -> None:
    del event
