"""Import the API key in use, which cannot be read from the account."""

import re
from typing import Final

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.values.properties import Props, new_secret

_OURS: Final = re.compile(r"ff_[a-z0-9]+_([0-9a-f]{8})_\S+")
#: The ID of a key that Flowflare did not generate.
ADOPTED: Final = "adopted"


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Import the key of the generation in use; the next `up` generates the others."""
    del account
    key = findings.key
    if not key.text or not wanted.name.endswith(key.resource):
        return None
    match = _OURS.fullmatch(key.text)
    identity = match[1] if match else ADOPTED
    outputs: Props = {
        **{key: value for key, value in wanted.inputs.items() if value is not None},
        "key_id": identity,
        "api_key": new_secret(key.text),
    }
    message = f"taken over from {key.from_}"
    return Thing(identity, dict(wanted.inputs), outputs, "", (), message, "kept")
