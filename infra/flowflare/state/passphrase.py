"""Pulumi's passphrase secrets: AES-256-GCM with a key that PBKDF2 derives from a passphrase.

Formats as in `sdk/go/common/resource/config/crypt.go` and `pkg/secrets/passphrase` of
pulumi/pulumi: a value is `v1:<nonce>:<ciphertext and tag>` in base64; a salt string is
`v1:<salt>:` and the encrypted word `pulumi`, which detects a wrong passphrase.
"""

import base64
import binascii
import contextlib
import hashlib
import os
import re
import secrets
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowflare.errors import SecretError
from flowflare.reading.files import read_text
from flowflare.redaction.run import learn
from flowflare.state.checkpoint import dump_secret, load_secret_text
from flowflare.values.properties import Secret, Value

#: The variable that names the source of a fleet's passphrase, for messages.
ORIGIN: Final = "FLOWFLARE_PASSPHRASE_FROM"
ITERATIONS: Final = 1_000_000
_CHECK_WORD: Final = "pulumi"
_SALT: Final = re.compile("v1:([^:]+):v1:([^:]+):([^:]+)")
_KEYS: dict[tuple[bytes, str], bytes] = {}
_KEYS_LOCK: Final = threading.Lock()


@dataclass(frozen=True)
class Passphrase:
    """A passphrase and its source.

    Attributes:
        origin: the source that errors name.
        key_folder: the folder to store derived keys in, beside the passphrase and equally
            protected; None for a passphrase of the user.
        lost: whether it is missing; then nothing can be decrypted.
    """

    text: str
    origin: str
    key_folder: Path | None = None
    lost: bool = False


def find_passphrase(folder: Path, environ: Mapping[str, str], *, make: bool = True) -> Passphrase:
    """Find the stack's passphrase: in the environment as in Pulumi, else a generated one.

    Args:
        folder: the project's `.flowflare`; holds a generated passphrase, readable by its owner.
        make: whether to generate a missing passphrase, which is useless if the stack already
            has a salt.

    Raises:
        SecretError: `PULUMI_CONFIG_PASSPHRASE_FILE` names a file that cannot be read.
    """
    if "PULUMI_CONFIG_PASSPHRASE" in environ:
        origin = environ.get(ORIGIN) or "PULUMI_CONFIG_PASSPHRASE"
        return Passphrase(environ["PULUMI_CONFIG_PASSPHRASE"], origin)
    named = environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if named:
        try:
            return Passphrase(read_text(Path(named)).strip(), named)
        except OSError as error:
            raise SecretError(
                f"PULUMI_CONFIG_PASSPHRASE_FILE: {named} cannot be read: {error.strerror}"
            ) from None
    own = folder / "passphrase"
    if not own.exists():
        if not make:
            return Passphrase("", str(own), lost=True)
        _write_private(own, secrets.token_urlsafe(32) + "\n")
    return Passphrase(read_text(own).strip(), str(own), folder / "keys")


class Vault:
    """Decrypts and encrypts the secrets of one salt. The key is derived on first use.

    Args:
        salt: the salt string, empty for a new salt.
        place: where the salt is stored, for messages; by default the stack's state.
    """

    def __init__(self, passphrase: Passphrase, salt: str = "", place: str = "") -> None:
        learn(passphrase.text)
        self._passphrase = passphrase
        self._salt = salt
        self._place = place or "the stack's state"
        self._key: bytes | None = None

    @property
    def salt(self) -> str:
        """The salt string, which a new vault generates on first use."""
        if not self._salt:
            raw = os.urandom(8)
            head = f"v1:{_encode(raw)}"
            key = _derive(self._passphrase, head)
            self._salt = f"{head}:{_encrypt(key, _CHECK_WORD)}"
            self._key = key
        return self._salt

    def check(self) -> None:
        """Derive the key and check the passphrase.

        Raises:
            SecretError: the passphrase is wrong.
        """
        self._get_key()

    def open(self, ciphertext: str) -> Value:
        """Decrypt a secret of the state.

        Raises:
            SecretError: the passphrase is wrong, or the ciphertext was changed.
        """
        text = _decrypt(self._get_key(), ciphertext)
        try:
            value = load_secret_text(text)
        except ValueError as error:
            raise SecretError(f"a secret of the state cannot be read: {error}") from None
        learn(value)
        return value

    def open_text(self, ciphertext: str) -> str:
        """Decrypt a secret of the configuration, whose plain text is the bare string.

        Raises:
            SecretError: the passphrase is wrong, or the ciphertext was changed.
        """
        text = _decrypt(self._get_key(), ciphertext)
        learn(text)
        return text

    def seal(self, secret: Secret) -> str:
        """Encrypt a secret, or return its earlier ciphertext of this vault."""
        known = secret.sealed_by(self)
        if known is not None:
            return known
        ciphertext = self.seal_text(dump_secret(secret))
        secret.remember(self, ciphertext)
        return ciphertext

    def seal_text(self, text: str) -> str:
        """Encrypt a string with a new nonce."""
        return _encrypt(self._get_key(), text)

    def _get_key(self) -> bytes:
        if self._key is None:
            head, tail = _split_salt(self.salt, self._place)
            if self._key is None:  # a new vault has just derived it with its salt
                self._key = self._derive_checked(head, tail)
        return self._key

    def _derive_checked(self, head: str, tail: str) -> bytes:
        if self._passphrase.lost:
            raise SecretError(
                f"the passphrase of this stack's secrets is lost: {self._passphrase.origin} is "
                "missing, and PULUMI_CONFIG_PASSPHRASE is not set",
                remedy="Restore the file, or set the variable. To start over and lose all data: "
                "flowflare emulator stop, then delete .flowflare.",
            )
        for fresh in (False, True):  # a stored key may be damaged; derive it again
            key = _derive(self._passphrase, head, fresh=fresh)
            with contextlib.suppress(SecretError):
                if _decrypt(key, tail) == _CHECK_WORD:
                    return key
            if self._passphrase.key_folder is None:
                break
        raise SecretError(
            f"the passphrase from {self._passphrase.origin} does not decrypt this stack's secrets",
            remedy="Use the passphrase that the stack was created with, as "
            "PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE or in tenants.yaml.",
        )


def _split_salt(salt: str, place: str) -> tuple[str, str]:
    match = _SALT.fullmatch(salt)
    if match is None or not all(map(_is_base64, match.groups())):
        raise SecretError(
            f"the encryption salt in {place} is damaged: it is not of the form "
            "v1:<salt>:v1:<nonce>:<ciphertext>, in base64",
            remedy="Restore it: the `encryptionsalt` line of the stack's file from version "
            "control, or a state from its history. Secrets cannot be decrypted with another salt.",
        )
    return f"v1:{match[1]}", f"v1:{match[2]}:{match[3]}"


def _is_base64(text: str) -> bool:
    try:
        return bool(_decode(text))
    except SecretError:
        return False


def _derive(passphrase: Passphrase, head: str, *, fresh: bool = False) -> bytes:
    """Derive the key from a passphrase and a salt, cached: it costs 0.25 s of CPU."""
    digest = hashlib.sha256(passphrase.text.encode()).digest()
    path = None
    if passphrase.key_folder is not None:
        path = passphrase.key_folder / hashlib.sha256(digest + head.encode()).hexdigest()[:32]
    with _KEYS_LOCK:
        key = None if fresh else _KEYS.get((digest, head)) or _read_key(path)
        if key is None:
            salt = _decode(head.removeprefix("v1:"))
            key = _stretch(passphrase.text, salt)
            if path is not None:
                path.unlink(missing_ok=True)
                _write_private(path, _encode(key))
        _KEYS[digest, head] = key
    return key


def _stretch(passphrase: str, salt: bytes) -> bytes:
    """Derive a key as Pulumi does; cryptography's OpenSSL needs half the time of hashlib's."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    return PBKDF2HMAC(SHA256(), 32, salt, ITERATIONS).derive(passphrase.encode())


def _read_key(path: Path | None) -> bytes | None:
    if path is None or not path.is_file():
        return None
    with contextlib.suppress(OSError, SecretError, UnicodeDecodeError):
        key = _decode(read_text(path))
        return key if len(key) == 32 else None
    return None


def _encrypt(key: bytes, text: str) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    return f"v1:{_encode(nonce)}:{_encode(AESGCM(key).encrypt(nonce, text.encode(), None))}"


def _decrypt(key: bytes, ciphertext: str) -> str:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    parts = ciphertext.split(":")
    if len(parts) != 3 or parts[0] != "v1":
        raise SecretError(
            "a secret is not in Pulumi's passphrase format",
            remedy="Set the value again; in a stack's file, with flowflare secrets set.",
        )
    try:
        return AESGCM(key).decrypt(_decode(parts[1]), _decode(parts[2]), None).decode()
    except (InvalidTag, ValueError):
        raise SecretError(
            "a secret cannot be decrypted with this stack's key",
            remedy="It was encrypted with another salt or changed by hand: set it again.",
        ) from None


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SecretError("a secret is not valid base64") from None


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; the first of two writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()
