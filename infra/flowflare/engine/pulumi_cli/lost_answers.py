"""Find, by exact name, what a run of the Pulumi CLI created without receiving the answer.

There are two cases. A killed run leaves `pending_operations` of type `creating`: the engine only
warns of them, and the next creation is refused or makes a second object. Or a request was carried
out but not answered: the provider repeats it, and Cloudflare says that the name is taken (7502).
This module only reads. Each method says what proves that an object belongs to this stack.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flowflare.engine.pulumi_cli.adopt import Found
from flowflare.engine.pulumi_cli.plugin_records import plain_props
from flowflare.kinds.access import ReadAccess
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.plugin_state import serve
from flowflare.kinds.registry import KINDS
from flowflare.values.properties import Props

CLOUDFLARE_API: Final = "https://api.cloudflare.com/client/v4"
_TAKEN: Final = {kind.type: kind.name_taken for kind in KINDS if kind.name_taken}
_NAME_TAKEN: Final = re.compile(rf"\b({'|'.join(map(str, _TAKEN.values()))})\b")
# Cloudflare's clock and ours may differ by some seconds.
_SKEW: Final = timedelta(minutes=2)


class AccountSearch:
    """Looks up objects in the account of a stack; writes nothing.

    Args:
        base_url: the API's address; empty for Cloudflare's own.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._access = ReadAccess(base_url or CLOUDFLARE_API, token)

    def made_by(self, resource: Mapping[str, Any]) -> Found | None:
        """Find what an interrupted creation made, by the exact name in its inputs.

        State proves that this stack was creating it, and a name is unique in an account, so the
        object with that name is this stack's. A database counts only if it is empty.

        Returns:
            The object; None if there is none, or for a type that can be created again without harm.

        Raises:
            ApiError: the account cannot be read.
        """
        handler, inputs = serve(str(resource["type"]), self._access), _inputs(resource)
        if handler is None:
            return None
        made = handler.recover(inputs)
        if made is not None and not made.certain:
            # A PUT: its name is known, but not whether it was carried out.
            there = handler.read(Existing(made.id, inputs, {**made.outputs, **inputs}))
            made = None if there is None else Made(there.id, there.outputs, certain=False)
        return _to_found(made, inputs)

    def just_made(self, resource: Mapping[str, Any], since: datetime) -> Found | None:
        """Find an object whose name is taken, if this run created it.

        The proof: it is empty, and Cloudflare created it after the run began.

        Args:
            resource: the record that could not be created.
            since: when the run began, UTC.
        """
        handler = serve(str(resource["type"]), self._access)
        if handler is None or resource["type"] not in _TAKEN:
            return None
        made = handler.recover(_inputs(resource))
        if made is None or not _is_after(made.outputs.get("createdAt"), since):
            return None
        return _to_found(made, _inputs(resource))


def is_name_taken(reason: str) -> bool:
    """Return whether a creation was refused because its name is taken."""
    return _NAME_TAKEN.search(reason) is not None


def _to_found(made: Made | None, inputs: Props) -> Found | None:
    if made is None:
        return None
    computed = {key: value for key, value in made.outputs.items() if key not in inputs}
    return Found(made.id, computed, complete=made.certain)


def _is_after(created: object, since: datetime) -> bool:
    if not isinstance(created, str):
        return False
    try:
        when = datetime.fromisoformat(created)
    except ValueError:
        return False
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when >= since - _SKEW


def _inputs(resource: Mapping[str, Any]) -> Props:
    # No lookup needs a secret.
    return plain_props(resource.get("inputs") or {})
