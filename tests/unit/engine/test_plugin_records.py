"""Records of earlier versions gain what Cloudflare's plugin reads, and no secret in the open."""

import json
from typing import Any

from flowflare.engine.pulumi_cli.plugin_records import make_readable, unreadable
from flowflare.values.wire import SECRET, SIGNATURE

TYPE = "cloudflare:index/workersScript:WorkersScript"
URN = f"urn:pulumi:rec::flowflare::{TYPE}::shop"
OLD, NEW = "canary-of-the-replaced-script", "canary-of-the-live-script"


def seal(name: str) -> dict[str, str]:
    return {SIGNATURE: SECRET, "ciphertext": f"v1:{name}"}


def unseal(bindings: list[dict[str, str]]) -> dict[str, str]:
    return {SIGNATURE: SECRET, "plaintext": json.dumps(bindings)}


def script(name: str, *, delete: bool = False, **outputs: object) -> dict[str, Any]:
    record = {"urn": URN, "type": TYPE, "custom": True, "id": name, "outputs": outputs}
    return record | ({"delete": True} if delete else {})


def bind(*texts: str) -> list[dict[str, str]]:
    return [{"name": "KEY", "type": "secret_text", "text": text} for text in texts]


def test_a_script_that_waits_for_its_deletion_gains_nothing_of_the_one_that_replaced_it() -> None:
    sealed = {
        "resources": [
            script("old", delete=True, scriptName="old"),
            script("new", scriptName="new", bindings=seal("new")),
        ]
    }
    opened = {
        "resources": [
            script("old", delete=True, scriptName="old"),
            script("new", scriptName="new", bindings=unseal(bind(NEW))),
        ]
    }
    mended = make_readable(sealed, opened)
    old, new = mended["resources"]
    assert NEW not in json.dumps(mended)
    assert old["outputs"].keys() == {"scriptName", "id", "__meta", "__pulumi_raw_state_delta"}
    assert (old["outputs"]["id"], new["outputs"]["id"]) == ("old", "new")
    assert new["outputs"]["bindings"] == seal("new")
    assert unreadable(mended) == []


def test_no_attribute_is_copied_from_the_state_with_open_secrets() -> None:
    """Another run may have changed the state between the two exports."""
    sealed = {"resources": [script("new", scriptName="new")]}
    opened = {"resources": [script("new", scriptName="new", bindings=unseal(bind(OLD, NEW)))]}
    mended = json.dumps(make_readable(sealed, opened))
    assert OLD not in mended
    assert NEW not in mended
