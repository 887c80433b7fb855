"""What an ephemeral environment may be called, and how long it may live."""

import re
from datetime import timedelta
from typing import Final

from flowflare.errors import FleetError
from flowflare.model import names

#: The longest time to live: what stays for longer is no ephemeral environment.
LONGEST: Final = timedelta(days=90)
SHORTEST: Final = timedelta(minutes=1)
_TTL: Final = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>[mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def environment_of(name: str) -> str:
    """The environment of an ephemeral environment's stack: its name without hyphens.

    Raises:
        FleetError: the name makes no environment.
    """
    environment = name.replace("-", "")
    if not names.WORD.fullmatch(name) or not names.ENVIRONMENT.fullmatch(environment):
        remedy = "Use lower-case letters, digits and single hyphens, for example pr-123."
        raise FleetError(f"{name!r} is no name for an environment", remedy=remedy)
    return environment


def parse_ttl(text: str) -> timedelta:
    """Reads `30m`, `48h` or `7d`.

    Raises:
        FleetError: it is not of that form, or too short or too long.
    """
    match = _TTL.fullmatch(text)
    if not match:
        remedy = "Write a number of minutes, hours or days: 30m, 48h, 7d."
        raise FleetError(f"{text!r} is no time to live", remedy=remedy)
    ttl = timedelta(**{_UNITS[match["unit"]]: int(match["count"])})
    if not SHORTEST <= ttl <= LONGEST:
        remedy = f"At most {LONGEST.days}d; `flowflare env up` again makes it longer."
        raise FleetError(f"{text!r} is too long", remedy=remedy)
    return ttl
