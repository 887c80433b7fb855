"""Finds what a run of the Pulumi CLI made without hearing of it, by its exact name.

Two ways lead here. A killed run leaves `pending_operations` of type `creating`: the engine warns
of them and goes on, which makes a second thing or is refused. And a provider whose request was
carried out but not answered repeats it, and Cloudflare says that the name is taken (7502). Only
reading calls are made here; what is proof enough that a thing is this stack's is said at each.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flowflare.engine.pulumi.adopt import Found
from flowflare.engine.pulumi.plugin_records import plain_props
from flowflare.errors import SecretError
from flowflare.kinds.access import Access
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.plugin_state import serve
from flowflare.values.properties import Props

CLOUDFLARE_API: Final = "https://api.cloudflare.com/client/v4"
D1_DATABASE: Final = "cloudflare:index/d1Database:D1Database"
_NAME_TAKEN: Final = re.compile(r"\b7502\b")
# Cloudflare's clock and ours need not agree to the second.
_SKEW: Final = timedelta(minutes=2)


class Account:
    """The account of a stack, for looking things up; writes nothing.

    Args:
        base_url: the API's address, empty for Cloudflare's own.
        token: an API token.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._access = _Reading(base_url or CLOUDFLARE_API, token)

    def made_by(self, resource: Mapping[str, Any]) -> Found | None:
        """What an interrupted creation made, found by the exact name that its inputs say.

        State says that this stack was making it, and a name is one thing's in an account, so what
        has the name is its own; a database counts only while it is as empty as a new one.

        Args:
            resource: the record of a pending creation.

        Returns:
            The thing; None where there is none, or for a type that is made anew without harm.

        Raises:
            ApiError: the account cannot be asked.
        """
        handler, inputs = serve(str(resource["type"]), self._access), _inputs(resource)
        if handler is None:
            return None
        made = handler.recover(inputs)
        if made is not None and not made.certain:
            # A PUT: its name is known, whether it was carried out is not.
            there = handler.read(Existing(made.id, inputs, {**made.outputs, **inputs}))
            made = None if there is None else Made(there.id, there.outputs, certain=False)
        return _found(made, inputs)

    def just_made(self, resource: Mapping[str, Any], since: datetime) -> Found | None:
        """A D1 database whose name is taken, if it was this very run that took it.

        Proof: it is empty, and Cloudflare made it after the run began.

        Args:
            resource: the record that could not be created.
            since: when the run began, UTC.
        """
        if resource["type"] != D1_DATABASE:
            return None
        handler = serve(D1_DATABASE, self._access)
        assert handler is not None
        made = handler.recover(_inputs(resource))
        if made is None or not _is_after(made.outputs.get("createdAt"), since):
            return None
        return _found(made, _inputs(resource))


def is_name_taken(reason: str) -> bool:
    """Whether a creation was refused because something has its name."""
    return _NAME_TAKEN.search(reason) is not None


def _found(made: Made | None, inputs: Props) -> Found | None:
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
    # Nothing is looked up by a secret.
    return plain_props(resource.get("inputs") or {})


class _Reading(Access):
    """Reaches the API anywhere, with reading calls only."""

    def __init__(self, base_url: str, token: str) -> None:
        super().__init__({"baseUrl": base_url, "apiToken": token}, {})
        self._bearer = token

    def _check(self) -> None:
        if not self._bearer:
            raise SecretError(
                "what an interrupted run made cannot be looked up: there is no API token",
                remedy="Set CLOUDFLARE_API_TOKEN, or `pulumi config set --secret "
                "cloudflare:apiToken`.",
            )
