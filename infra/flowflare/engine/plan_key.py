"""Make the key of a saved plan's digests, and seal it with the stack's passphrase.

The key is random, and only its ciphertext is in the file. So a person who only has the file cannot
guess secrets by trial. A person with the passphrase could decrypt the stack's secrets anyway. A
stack without a passphrase takes the key from a variable.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from pydantic import Field

from flowflare.config.engine import engine_of
from flowflare.config.files import Project, private_folder
from flowflare.errors import PlanError
from flowflare.model.frozen import Frozen
from flowflare.secrets.fingerprint import KEY_VARIABLE, LEAST_KEY
from flowflare.state.passphrase import Passphrase, Vault, find_passphrase

_PLACE = "the saved plan"


class SealedKey(Frozen):
    """The key of digests, as a plan's file stores it."""

    salt: str = Field(
        description="The salt of the passphrase's key, as in a stack's `encryptionsalt`; empty if "
        f"the key is derived from the variable {KEY_VARIABLE}."
    )
    sealed: str = Field(description="The key, encrypted; a random text for a key of the variable.")


def make_key(project: Project, environ: Mapping[str, str]) -> tuple[bytes, SealedKey]:
    """Make a new key.

    Returns:
        The key, and its form in the file.

    Raises:
        PlanError: neither a passphrase nor the variable is set to protect it.
    """
    nonce = secrets.token_hex(32)
    passphrase = _find_passphrase(project, environ, make=engine_of(project).needs_emulator)
    if passphrase is None:
        return _derive(nonce, environ, project), SealedKey(salt="", sealed=nonce)
    vault = Vault(passphrase, place=_PLACE)
    sealed = vault.seal_text(nonce)
    return bytes.fromhex(nonce), SealedKey(salt=vault.salt, sealed=sealed)


def open_key(key: SealedKey, project: Project, environ: Mapping[str, str]) -> bytes:
    """Open a plan's key.

    Raises:
        PlanError: the variable that the key is derived from is missing.
        SecretError: the passphrase is missing, or is not that of the plan.
    """
    if not key.salt:
        return _derive(key.sealed, environ, project)
    passphrase = _find_passphrase(project, environ, make=False)
    if passphrase is None:
        raise _explain_missing(project)
    return bytes.fromhex(Vault(passphrase, key.salt, _PLACE).open_text(key.sealed))


def _find_passphrase(
    project: Project, environ: Mapping[str, str], *, make: bool
) -> Passphrase | None:
    """Return the stack's passphrase; None if it has none or an empty one."""
    if project.secrets_provider not in ("", "passphrase"):
        return None
    found = find_passphrase(private_folder(project.root), environ, make=make)
    return found if found.text else None


def _derive(nonce: str, environ: Mapping[str, str], project: Project) -> bytes:
    given = environ.get(KEY_VARIABLE, "")
    if len(given) < LEAST_KEY:
        raise _explain_missing(project)
    return hmac.new(given.encode(), nonce.encode(), hashlib.sha256).digest()


def _explain_missing(project: Project) -> PlanError:
    return PlanError(
        f"stack {project.stack} has no passphrase that protects the digests of a saved plan",
        remedy=f"Set {KEY_VARIABLE} to a random text of at least {LEAST_KEY} characters, the same "
        "for preview and up.",
    )
