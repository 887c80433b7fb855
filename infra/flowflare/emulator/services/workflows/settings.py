"""Read the settings of a Workflow's version: the retention of instances that do not set theirs."""

import re
from typing import Any

from flowflare.emulator import codes

_UNITS = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
    "month": 2_592_000_000,
    "year": 31_557_600_000,
}
_DURATION = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})s?")
_MOST = 30 * _UNITS["day"]
"""The longest retention of the paid plan.

Source: developers.cloudflare.com/workflows/reference/limits.
"""
_RETENTIONS = ("success_retention", "error_retention")


def read_settings(asked: dict[str, Any]) -> dict[str, Any]:
    """Read the settings in an update of a Workflow.

    Raises:
        Refusal: 10002, a setting is invalid or one that the emulator does not keep.
    """
    for name in ("concurrency", "schedules", "limits"):
        if asked.get(name):
            raise codes.invalid_workflow(f"{name}: the emulator does not emulate this setting")
    given = asked.get("default_retention")
    return {"default_retention": read_retention(given, "default_retention")} if given else {}


def read_retention(given: Any, where: str) -> dict[str, int]:
    """Read how long ended instances are kept, in milliseconds.

    Raises:
        Refusal: 10002, it is not an object of durations.
    """
    if not isinstance(given, dict):
        raise codes.invalid_workflow(f"{where}: Expected object")
    return {
        name: _milliseconds(given[name], f"{where}.{name}")
        for name in _RETENTIONS
        if given.get(name) is not None
    }


def _milliseconds(given: Any, where: str) -> int:
    duration: float = 0
    if isinstance(given, int) and not isinstance(given, bool):
        duration = given
    elif isinstance(given, str) and (match := _DURATION.fullmatch(given)):
        duration = float(match[1]) * _UNITS[match[2]]
    if not 0 < duration <= _MOST:
        raise codes.invalid_workflow(
            f"{where}: must be milliseconds or text such as '5 minutes', and at most 30 days"
        )
    return int(duration)
