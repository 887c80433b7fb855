"""Kinds of damage to a secret of a state, each with a canary where a message could quote it."""

import json
from collections.abc import Callable
from typing import Any, Final

from flowflare.state.passphrase import Vault
from flowflare.values.wire import SECRET, SIGNATURE

Secret = dict[str, Any]
Damage = Callable[[Secret, str], None]
_UNKNOWN: Final = "0123456789abcdef0123456789abcdef"


def damages(vault: Vault) -> dict[str, Damage]:
    """Return all kinds of damage by name; each changes a secret in place, given a canary.

    Args:
        vault: the state's vault, for damage that only shows when a secret is decrypted.
    """
    return _of_the_secret(vault) | _of_the_content(vault)


def misfits(vault: Vault) -> dict[str, Damage]:
    """Return secrets that decrypt to a value that no program would have written."""

    def opens_to(make: Callable[[str], Any]) -> Damage:
        return _with(lambda text: {"ciphertext": vault.seal_text(json.dumps(make(text)))})

    return {
        "a text": opens_to(str),
        "a list of texts": opens_to(lambda text: [text]),
        "a list of lists": opens_to(lambda text: [[text]]),
        "a map of maps": opens_to(lambda text: {text: {"name": text}}),
        "maps without names": opens_to(lambda text: [{"type": text, "text": text}]),
        "names that are maps": opens_to(lambda text: [{"name": {"text": text}, "type": [text]}]),
        "a number": opens_to(lambda text: [float(len(text))]),
        "null": opens_to(lambda _: None),
    }


def _of_the_secret(vault: Vault) -> dict[str, Damage]:
    """Return damage that shows without a key, or that another key encrypted."""

    def cut(text: str) -> str:
        sealed = vault.seal_text(json.dumps(text))
        return sealed[: len(sealed) // 2]

    def other_version(text: str) -> str:
        return vault.seal_text(json.dumps(text)).replace("v1:", "v2:", 1)

    return {
        "a text that is not sealed": _with(lambda text: {"ciphertext": text}),
        "JSON that is not sealed": _with(lambda text: {"ciphertext": json.dumps(text)}),
        "not base64": _with(lambda text: {"ciphertext": f"v1:{text}:{text}"}),
        "a part too few": _with(lambda text: {"ciphertext": f"v1:{text}"}),
        "cut short": _with(lambda text: {"ciphertext": cut(text)}),
        "another version": _with(lambda text: {"ciphertext": other_version(text)}),
        "a list": _with(lambda text: {"ciphertext": [text]}),
        "a map": _with(lambda text: {"ciphertext": {text: text}}),
        "both forms": _with(lambda text: {"ciphertext": text, "plaintext": json.dumps(text)}),
        "neither form": _with(lambda text: {"cipherText": text}),
        "open, not JSON": _with(lambda text: {"plaintext": text}),
        "open, cut short": _with(lambda text: {"plaintext": json.dumps({"text": text})[:-3]}),
        "a misspelt signature": _with(lambda text: {SIGNATURE: _UNKNOWN, "ciphertext": text}),
        "a text for a signature": _with(lambda text: {SIGNATURE: text, "ciphertext": text}),
    }


def _of_the_content(vault: Vault) -> dict[str, Damage]:
    """Return damage inside a secret that this stack's key decrypts."""

    def opens_to(make: Callable[[str], str]) -> Damage:
        return _with(lambda text: {"ciphertext": vault.seal_text(make(text))})

    def holds(make: Callable[[str], Any]) -> Damage:
        return opens_to(lambda text: json.dumps([{"name": "A", "text": make(text)}]))

    def inner(**fields: Any) -> dict[str, Any]:
        return {SIGNATURE: SECRET, **fields}

    return {
        "sealed, not JSON": opens_to(str),
        "sealed, cut short": opens_to(lambda text: json.dumps([{"text": text}])[:-4]),
        "inside, not JSON": holds(lambda text: inner(ciphertext=text)),
        "inside, as if sealed": holds(lambda text: inner(ciphertext=f"v1:{text}:{text}")),
        "inside, a list": holds(lambda text: inner(ciphertext=[text])),
        "inside, both forms": holds(
            lambda text: inner(ciphertext=json.dumps(text), plaintext=json.dumps(text))
        ),
        "inside, neither form": holds(lambda text: inner(value=text)),
        "inside, an unknown signature": holds(lambda text: {SIGNATURE: text, "ciphertext": text}),
        "inside, a reference to nothing": holds(
            lambda text: {SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "id": text}
        ),
    }


def _with(make: Callable[[str], dict[str, Any]]) -> Damage:
    def apply(secret: Secret, text: str) -> None:
        secret.clear()
        secret.update({SIGNATURE: SECRET} | make(text))

    return apply
