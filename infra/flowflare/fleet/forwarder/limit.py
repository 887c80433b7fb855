"""How many calls an API allows, and how many of them are left to people at the dashboard."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flowflare.api.budget import CALLS, WINDOW
from flowflare.errors import ConfigError, Problem

#: Calls in 5 minutes that nobody of a fleet's run makes: the dashboard's count as well.
RESERVE: Final = 100
#: Machines that may work on one account at once; more of them rely on the reserve.
MACHINES: Final = 8
#: Stands for no limit where a number is needed.
UNLIMITED: Final = 1_000_000_000
RESERVE_VARIABLE: Final = "FLOWFLARE_RESERVED_CALLS"


@dataclass(frozen=True)
class Limit:
    """The limit of one API.

    Attributes:
        calls: how many calls a window may have; None for no more than what answers tell.
        window: the window in seconds.
        reserve: how many of the calls are left alone.
    """

    calls: int | None = CALLS
    window: float = WINDOW
    reserve: int = RESERVE

    @classmethod
    def of(cls, upstream: str, reserve: int = RESERVE) -> "Limit":
        """The limit of an API: Cloudflare's, and on loopback what the API's answers tell.

        Args:
            upstream: the API's base URL.
            reserve: how many calls are left alone.
        """
        return cls(calls=None if is_loopback(upstream) else CALLS, reserve=reserve)


def reserve_of(environ: Mapping[str, str]) -> int:
    """The reserve that the environment names: `FLOWFLARE_RESERVED_CALLS`, else 100.

    Raises:
        ConfigError: it is not a number from 0 to 1,100.
    """
    text = environ.get(RESERVE_VARIABLE, "")
    if not text:
        return RESERVE
    if text.isascii() and text.isdecimal() and int(text) <= CALLS - RESERVE:
        return int(text)
    remedy = f"Write a number from 0 to {CALLS - RESERVE}, such as {RESERVE}, or unset it."
    raise ConfigError([Problem(RESERVE_VARIABLE, f"is {text!r}, which is no reserve", remedy)])


def is_loopback(url: str) -> bool:
    """Whether an API is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
