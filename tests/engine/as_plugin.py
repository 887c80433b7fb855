"""Rewrite a state of the embedded engine as Cloudflare's plugin stores the same stack."""

import json
from typing import Any

from flowflare.state.passphrase import Vault
from flowflare.values.wire import SECRET, SIGNATURE

_SCRIPT = "cloudflare:index/workersScript:WorkersScript"


def seal_bindings(latest: dict[str, Any], vault: Vault) -> None:
    """Encrypt each script's list of bindings, with every text in it a secret too, in place.

    As in `recordings/pulumi-cloudflare-6.23`, the inner ciphertext is plain JSON.
    """
    for record in latest["resources"]:
        if record["type"] == _SCRIPT:
            for part in ("inputs", "outputs"):
                bindings = [_seal_text(binding, vault) for binding in record[part]["bindings"]]
                text = vault.seal_text(json.dumps(bindings))
                record[part]["bindings"] = {SIGNATURE: SECRET, "ciphertext": text}


def _seal_text(binding: dict[str, Any], vault: Vault) -> dict[str, Any]:
    text = binding.get("text")
    if text is None:
        return binding
    plain = vault.open_text(text["ciphertext"]) if isinstance(text, dict) else json.dumps(text)
    return {**binding, "text": {SIGNATURE: SECRET, "ciphertext": plain}}
