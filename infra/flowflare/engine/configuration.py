"""Open the secrets of a stack's configuration, for the program and the providers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from flowflare.config.files import Project
from flowflare.config.values import ConfigValue
from flowflare.errors import SecretError
from flowflare.reading.json_text import parse_json
from flowflare.state.passphrase import Vault, find_passphrase
from flowflare.values.properties import Props, Secret


class TextOpener(Protocol):
    """Opens encrypted configuration values: the stack's vault."""

    def open_text(self, ciphertext: str) -> str:
        """Decrypt a string."""


@dataclass(frozen=True)
class Configuration:
    """The configuration of one run.

    Attributes:
        texts: for each full key, the text that `pulumi.Config` sees, secrets opened.
        secret: the keys whose values are secret.
    """

    texts: Mapping[str, str]
    secret: frozenset[str]

    @property
    def values(self) -> Props:
        """Return the strings as property values; secret values are marked."""
        return {
            key: Secret(text) if key in self.secret else text for key, text in self.texts.items()
        }


def open_configuration(
    project: Project, vault: TextOpener, *, needs_salt: bool = True
) -> Configuration:
    """Open the secrets of a project's configuration.

    Args:
        vault: opens what is encrypted under the stack file's `encryptionsalt`.
        needs_salt: whether a secret without an `encryptionsalt` is an error. Other secrets
            providers than the passphrase have none; their secrets get stand-ins in a recording.

    Raises:
        SecretError: a value cannot be opened; the message has its place and key.
    """
    texts = {}
    for key, value in project.values.items():
        try:
            texts[key] = _open_value(value, project, vault, needs_salt=needs_salt)
        except SecretError as error:
            raise SecretError(
                f"{value.file}:{value.line}: {key}: {error.message}", remedy=error.remedy
            ) from None
    secret = frozenset(key for key, value in project.values.items() if value.secret)
    return Configuration(texts, secret)


def open_vault(project: Project, environ: Mapping[str, str], home: Path | None = None) -> Vault:
    """Open the vault of a project's configuration.

    Args:
        home: the folder whose `.flowflare` has the passphrase, if not the project's.
    """
    passphrase = find_passphrase((home or project.root) / ".flowflare", environ, make=False)
    return Vault(passphrase, project.encryption_salt or "", project.salt_place)


def _open_value(
    value: ConfigValue, project: Project, vault: TextOpener, *, needs_salt: bool
) -> str:
    if not value.secret:
        return value.text
    if needs_salt and not project.encryption_salt:
        raise SecretError(
            f"the value is encrypted, but {project.stack_file.name} has no encryptionsalt",
            remedy="Restore its encryptionsalt line, or set the value again.",
        )
    # The ciphertext of the passphrase begins with `v1:`, that of Pulumi Cloud is bare base64.
    if value.text[:1] not in "{[":
        return vault.open_text(value.text)
    leaves = _open_leaves(parse_json(value.text), vault)
    return leaves if isinstance(leaves, str) else json.dumps(leaves, separators=(",", ":"))


def _open_leaves(value: Any, vault: TextOpener) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"secure"} and isinstance(value["secure"], str):
            return vault.open_text(value["secure"])
        return {key: _open_leaves(item, vault) for key, item in value.items()}
    return [_open_leaves(item, vault) for item in value] if isinstance(value, list) else value
