"""Compares a script's settings: what an upload sets beside code and bindings."""

from collections.abc import Mapping
from typing import Any, Final

from flowflare.kinds.scene import differing, masked

#: Each setting with what Cloudflare has where an upload says nothing; None for anything.
SETTINGS: Final[Mapping[str, Any]] = {
    "compatibility_date": None,
    "limits": {},
    "logpush": False,
    "observability": {"enabled": False},
    "placement": {},
    "usage_model": None,
}
#: What of a placement is set; the rest of it is what Cloudflare found out.
_PLACEMENT: Final = ("mode", "region", "host", "hostname")


def live_setting(key: str, live: Mapping[str, Any]) -> Any:
    """A setting of the live script, without what only Cloudflare computes."""
    there = live.get(key)
    if key == "placement":
        return {part: value for part, value in (there or {}).items() if part in _PLACEMENT}
    return there


def differing_settings(
    key: str, wanted: Any, live: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    """Where a setting differs: the path, what is wanted, what is live.

    Args:
        key: the setting.
        wanted: what an upload sends, as the API spells it.
        live: the settings of the live script.

    Raises:
        SecretError: a secret inside cannot be opened.
    """
    default, there = SETTINGS[key], live_setting(key, live)
    if not wanted:
        # What an upload leaves out, Cloudflare resets.
        is_on = there and there not in (default, {"enabled": False}) and default is not None
        return [(key, masked(wanted), there)] if is_on else []
    if key == "usage_model" and not there:
        return []  # older scripts have none
    found = list(differing(wanted, there, key))
    # Switched off, it has nothing else to say.
    return [one for one in found if one[0].endswith(".enabled")] or found
