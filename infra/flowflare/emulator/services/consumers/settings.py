"""Check and read the settings of queue consumers."""

from collections.abc import Mapping
from typing import Any, Final

from flowflare.emulator import codes
from flowflare.emulator.json_text import NotJsonError, parse_json

Settings = Mapping[str, int | None]
#: The least and the most of each setting, and its default; None for what Cloudflare decides itself.
#: Source: developers.cloudflare.com/queues/platform/limits and /queues/configuration.
_SETTINGS: Final[Mapping[str, tuple[int, int, int | None]]] = {
    "batch_size": (1, 100, 10),
    "max_concurrency": (1, 250, None),
    "max_retries": (0, 100, 3),
    "max_wait_time_ms": (0, 60_000, 5_000),
    "retry_delay": (0, 86_400, 0),
}


def check_settings(asked: Mapping[str, Any]) -> Settings:
    """Return all settings of a consumer, with defaults for missing ones.

    Raises:
        Refusal: 10001, a setting is invalid.
    """
    return {key: _check(key, asked.get(key)) for key in _SETTINGS}


def read_settings(text: str) -> Settings:
    """Read stored settings; an invalid row gives the defaults."""
    try:
        stored = parse_json(text)
    except NotJsonError:
        stored = {}
    known = stored if isinstance(stored, dict) else {}
    return {key: known.get(key, default) for key, (_, _, default) in _SETTINGS.items()}


def _check(key: str, value: object) -> int | None:
    least, most, default = _SETTINGS[key]
    if value is None:
        return default
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise codes.invalid_body(f"`{key}` must be a whole number from {least} to {most}.")
    return number
