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
_PULL_SETTINGS: Final[Mapping[str, tuple[int, int, int | None]]] = {
    "batch_size": (1, 100, 5),
    "max_retries": (0, 100, 3),
    "retry_delay": (0, 86_400, 0),
    "visibility_timeout_ms": (0, 43_200_000, 30_000),
}


def check_settings(asked: Mapping[str, Any], *, pulls: bool = False) -> Settings:
    """Return all settings of a consumer, with defaults for missing ones.

    Args:
        pulls: whether it is a client that pulls messages, not a Worker.

    Raises:
        Refusal: 10001, a setting is invalid.
    """
    known = _list_limits(pulls=pulls)
    return {key: _check(known[key], key, asked.get(key)) for key in known}


def read_settings(text: str, *, pulls: bool = False) -> Settings:
    """Read stored settings; an invalid row gives the defaults."""
    try:
        stored = parse_json(text)
    except NotJsonError:
        stored = {}
    known = stored if isinstance(stored, dict) else {}
    items = _list_limits(pulls=pulls).items()
    return {key: known.get(key, default) for key, (_, _, default) in items}


def _list_limits(*, pulls: bool) -> Mapping[str, tuple[int, int, int | None]]:
    return _PULL_SETTINGS if pulls else _SETTINGS


def _check(limits: tuple[int, int, int | None], key: str, value: object) -> int | None:
    least, most, default = limits
    if value is None:
        return default
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise codes.invalid_body(f"`{key}` must be a whole number from {least} to {most}.")
    return number
