"""Compares a script's settings, which an upload sets besides code and bindings."""

from collections.abc import Mapping
from typing import Any, Final

from flowflare.kinds.scene import find_differences, mask_secrets

#: Each setting with Cloudflare's default; None if any value may be the default.
SETTINGS: Final[Mapping[str, Any]] = {
    "compatibility_date": None,
    "limits": {},
    "logpush": False,
    "observability": {"enabled": False},
    "placement": {},
    "usage_model": None,
}
#: The fields of a placement that are inputs; Cloudflare computes the others.
_PLACEMENT: Final = ("mode", "region", "host", "hostname")


def read_setting(key: str, live: Mapping[str, Any]) -> Any:
    """Return a setting of the live script, without computed fields."""
    there = live.get(key)
    if key == "placement":
        return {part: value for part, value in (there or {}).items() if part in _PLACEMENT}
    return there


def find_setting_differences(
    key: str, wanted: Any, live: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    """Find the differences in a setting: the path, the wanted value, the live value.

    Args:
        key: the setting.
        wanted: the value of an upload, in the API's spelling.
        live: the settings of the live script.

    Raises:
        SecretError: a secret inside cannot be decrypted.
    """
    default, there = SETTINGS[key], read_setting(key, live)
    if not wanted:
        # Cloudflare resets a setting that an upload omits.
        is_on = there and there not in (default, {"enabled": False}) and default is not None
        return [(key, mask_secrets(wanted), there)] if is_on else []
    if key == "usage_model" and not there:
        return []  # older scripts have none
    found = list(find_differences(wanted, there, key))
    # A setting that is off has no other differences.
    return [difference for difference in found if difference[0].endswith(".enabled")] or found
