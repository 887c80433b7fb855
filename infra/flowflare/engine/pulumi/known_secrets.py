"""Finds the secrets of a stack of the Pulumi CLI, so that what its program says can be filtered.

The program runs in a process of the CLI, and the CLI hides only what is secret in the
configuration. So before a message is shown, the secrets of the configuration, of the sources that
it names and of the state are opened here and learned. State is read again when a step has ended,
since a program can print what was generated a moment ago.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.files import Project
from flowflare.engine.backend import Backend
from flowflare.engine.configuration import open_configuration
from flowflare.engine.passphrase import Vault, find_passphrase
from flowflare.engine.pulumi.state import Export, backend_url, from_export
from flowflare.engine.state import Deployment
from flowflare.engine.values import Secret, leaves
from flowflare.errors import FlowflareError, SecretError
from flowflare.reading.files import read_text
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.redaction.known import learn
from flowflare.storage.opened import open_store


class StackSecrets:
    """The secrets of one stack, opened when there is something to filter.

    Args:
        project: the project seen through the stack.
        environ: the environment, for the passphrase and where the state is.
        export: runs `pulumi stack export --show-secrets`, where the state is out of reach.
    """

    def __init__(self, project: Project, environ: Mapping[str, str], export: Export) -> None:
        self._project = project
        self._environ = environ
        self._export = export
        self._is_stale = True
        self._knows_configuration = False
        self._opened: set[str] = set()
        self._has_asked = False
        self._folder = project.root / ".flowflare"

    def state_has_changed(self) -> None:
        """Note that a step has ended, so that state may have new secrets."""
        self._is_stale = True

    def find(self) -> None:
        """Learn the secrets that are new; those that cannot be opened here stay unknown."""
        if not self._knows_configuration:
            self._knows_configuration = True
            for find in (self._open_configuration, self._read_sources):
                with contextlib.suppress(FlowflareError, OSError):
                    find()
        if self._is_stale:
            self._is_stale = False
            with contextlib.suppress(FlowflareError, OSError):
                self._open_state()

    def _open_configuration(self) -> None:
        salt = self._project.encryption_salt
        if salt:
            passphrase = find_passphrase(self._folder, self._environ, make=False)
            open_configuration(self._project, Vault(passphrase, salt))

    def _read_sources(self) -> None:
        for value in self._project.values.values():
            if value.text[:1] in ("{", "["):
                with contextlib.suppress(JsonError):
                    for source in _mappings(parse_json(value.text)):
                        self._read_source(source)

    def _read_source(self, source: Mapping[str, Any]) -> None:
        match source:
            case {"environment": str(variable)}:
                learn(self._environ.get(variable))
            case {"file": str(path)}:
                with contextlib.suppress(OSError):
                    learn(read_text(self._project.root / path).removesuffix("\n"))

    def _open_state(self) -> None:
        for resource in self._deployment().resources:
            for value in leaves([resource.inputs, resource.outputs]):
                if isinstance(value, Secret) and value.ciphertext not in self._opened:
                    _open(value)
                    self._opened |= {value.ciphertext} if value.ciphertext else set()

    def _deployment(self) -> Deployment:
        url = backend_url(self._project.root, self._environ)
        if not url.startswith(("file://", "s3://")):
            if self._has_asked:
                return Deployment()  # asking the CLI takes a second; after every step, too long
            self._has_asked = True
            return from_export(self._export())
        store = open_store(url, self._environ, base=self._project.root)
        backend = Backend(store, self._project.name, self._project.stack)
        raw = backend.load()
        passphrase = find_passphrase(self._folder, self._environ, make=False)
        return backend.read(raw, Vault(passphrase, backend.salt(raw)))


def _open(secret: Secret) -> None:
    with contextlib.suppress(SecretError):
        learn(secret.value)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping in a JSON value."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from _mappings(item)
