"""Determine how many calls an API allows, and how many are reserved for people at the dashboard."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flowflare.api.budget import CALLS, WINDOW
from flowflare.errors import ConfigError, Problem

#: Calls in 5 minutes that a fleet's run does not use, because calls of the dashboard count as well.
RESERVE: Final = 100
#: Machines that share the limit of one account. More machines use up the reserve.
MACHINES: Final = 8
#: The number for an API without a known limit.
UNLIMITED: Final = 1_000_000_000
RESERVE_VARIABLE: Final = "FLOWFLARE_RESERVED_CALLS"


@dataclass(frozen=True)
class CallLimit:
    """The limit of one API.

    Attributes:
        calls: the calls allowed in a window; None if only the API's responses state a limit.
        window: the window in seconds.
        reserve: how many of the calls are not used.
    """

    calls: int | None = CALLS
    window: float = WINDOW
    reserve: int = RESERVE

    @classmethod
    def of(cls, upstream: str, reserve: int = RESERVE) -> "CallLimit":
        """Return Cloudflare's limit; on loopback the limit that the API's responses state.

        Args:
            upstream: the API's base URL.
            reserve: how many calls are not used.
        """
        return cls(calls=None if is_loopback(upstream) else CALLS, reserve=reserve)


def reserve_of(environ: Mapping[str, str]) -> int:
    """Read `FLOWFLARE_RESERVED_CALLS`; the default is 100.

    Raises:
        ConfigError: the value is not a number from 0 to 1,100.
    """
    text = environ.get(RESERVE_VARIABLE, "")
    if not text:
        return RESERVE
    if text.isascii() and text.isdecimal() and int(text) <= CALLS - RESERVE:
        return int(text)
    remedy = f"Write a number from 0 to {CALLS - RESERVE}, such as {RESERVE}, or unset it."
    raise ConfigError([Problem(RESERVE_VARIABLE, f"is {text!r}, not a number of calls", remedy)])


def is_loopback(url: str) -> bool:
    """Return whether an API is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
