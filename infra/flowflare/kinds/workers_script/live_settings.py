"""Compare a script's settings, which an upload sets besides code and bindings."""

from collections.abc import Mapping
from typing import Any, Final

from flowflare.kinds.scene import find_differences, mask_secrets
from flowflare.kinds.workers_script.settings import LISTS, SETTINGS, read_setting

#: What is compared besides lists: each setting, and what else an upload sets.
COMPARED: Final = sorted({*SETTINGS, "compatibility_date", "usage_model"} - {*LISTS})
#: The settings that Cloudflare does not reset if an upload omits them.
_KEPT: Final = ("compatibility_date", "usage_model")


def list_names(items: Any) -> list[str]:
    """List the names in a setting that is a list: of flags, or of Tail Workers."""
    items = items if isinstance(items, list) else ()
    return [str(item.get("service") if isinstance(item, dict) else item) for item in items]


def find_setting_differences(
    key: str, wanted: Any, live: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    """Find the differences in a setting: the path, the wanted value, the live value.

    Args:
        wanted: the value of an upload, in the API's spelling.

    Raises:
        SecretError: a secret inside cannot be decrypted.
    """
    there = read_setting(key, live)
    if not wanted:
        is_on = there and there != {"enabled": False} and key not in _KEPT
        return [(key, mask_secrets(wanted), there)] if is_on else []
    if key == "usage_model" and not there:
        return []  # older scripts have none
    found = list(find_differences(wanted, there, key))
    # A setting that is off has no other differences.
    return [difference for difference in found if difference[0].endswith(".enabled")] or found
