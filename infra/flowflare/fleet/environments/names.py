"""Check the name and the time to live of an ephemeral environment."""

import re
from datetime import timedelta
from typing import Final

from flowflare.errors import FleetError
from flowflare.model import names

#: The longest time to live. An environment that should stay longer is not ephemeral.
LONGEST: Final = timedelta(days=90)
SHORTEST: Final = timedelta(minutes=1)
_TTL: Final = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>[mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def environment_of(name: str) -> str:
    """Return the value of `flowflare:environment` for an ephemeral environment.

    It is the name without hyphens.

    Raises:
        FleetError: the name is not valid.
    """
    environment = name.replace("-", "")
    if not names.WORD.fullmatch(name) or not names.ENVIRONMENT.fullmatch(environment):
        remedy = "Use lower-case letters, digits and single hyphens, for example pr-123."
        raise FleetError(f"{name!r} is not a valid name for an environment", remedy=remedy)
    return environment


def parse_ttl(text: str) -> timedelta:
    """Parse a time to live such as `30m`, `48h` or `7d`.

    Raises:
        FleetError: the text has another form, or the time is too short or too long.
    """
    match = _TTL.fullmatch(text)
    if not match:
        remedy = "Write a number of minutes, hours or days: 30m, 48h, 7d."
        raise FleetError(f"{text!r} is not a time to live", remedy=remedy)
    ttl = timedelta(**{_UNITS[match["unit"]]: int(match["count"])})
    if not SHORTEST <= ttl <= LONGEST:
        remedy = f"Write at most {LONGEST.days}d; another `flowflare env up` extends it."
        raise FleetError(f"{text!r} is too long", remedy=remedy)
    return ttl
