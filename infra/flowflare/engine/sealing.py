"""Encrypt a value for a stack's file, as the stack's secrets provider does."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowflare.config.engine import engine_of
from flowflare.config.files import Project, private_folder
from flowflare.config.yaml_nodes import YamlText
from flowflare.engine.configuration import open_vault
from flowflare.errors import SecretError
from flowflare.state.location import open_backend
from flowflare.state.passphrase import Vault, find_passphrase

#: The top-level keys of a stack's file that belong to its secrets provider.
HEADER: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")
_KEY: Final = "flowflare:sealed"


@dataclass(frozen=True)
class Sealed:
    """An encrypted value.

    Attributes:
        header: top-level keys that the value needs and the stack's file lacks.
    """

    secure: str
    header: Mapping[str, str]


def seal_text(project: Project, environ: Mapping[str, str], text: str) -> Sealed:
    """Encrypt a string under the key of a stack's configuration.

    This process encrypts with the passphrase if the file has a salt. The Pulumi CLI encrypts for
    other providers, and for a stack whose file has no salt yet.

    Raises:
        SecretError: the passphrase is missing or wrong.
        EngineError: only the Pulumi CLI can encrypt it, and the CLI is not installed.
    """
    if project.encryption_salt:
        return Sealed(open_vault(project, environ).seal_text(text), {})
    if engine_of(project).needs_cli:
        return _seal_by_cli(project, environ, text)
    backend = open_backend(project.shared, project.stack, environ)
    salt = backend.read_salt(backend.load())
    passphrase = find_passphrase(private_folder(project.root), environ, make=not salt)
    vault = Vault(passphrase, salt)
    return Sealed(vault.seal_text(text), {"encryptionsalt": vault.salt})


def _seal_by_cli(project: Project, environ: Mapping[str, str], text: str) -> Sealed:
    """Let the CLI encrypt into a separate file, because it would change the stack file's layout."""
    from flowflare.engine.pulumi_cli.command import require_cli
    from flowflare.engine.pulumi_cli.workspace import Workspace

    present = YamlText(project.stack_file.name, project.stack_text).plain_keys()
    before = {key: str(present[key]) for key in HEADER if present.get(key)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / project.stack_file.name
        file.write_text("".join(f"{key}: {value}\n" for key, value in before.items()), "utf-8")
        cli = require_cli(environ, f"stack {project.stack}")
        words = ("config", "set", "--secret", _KEY, "--config-file", str(file))
        Workspace(project, cli, environ).run(*words, given=text)
        found = YamlText.read(file, [])
    keys = found.plain_keys() if found else {}
    config = keys.get("config")
    sealed = config.get(_KEY) if isinstance(config, dict) else None
    secure = sealed.get("secure") if isinstance(sealed, dict) else None
    if not isinstance(secure, str):
        raise SecretError(f"pulumi config set did not encrypt a value for {project.stack}")
    header = {key: str(keys[key]) for key in HEADER if keys.get(key) and key not in before}
    return Sealed(secure, header)
