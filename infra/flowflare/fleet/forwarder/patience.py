"""Determine how long a call may wait before the program that made it gives up.

* The official SDK for Python, and therefore our own clients, send `x-stainless-read-timeout`: 60 s.
  They make up to three attempts after a 429, and obey a `Retry-After` of up to 60 s.
* cloudflare-go, which Pulumi's provider uses, has no timeout or sends `x-stainless-timeout`. It
  obeys a `Retry-After` of less than a minute.
* wrangler's undici waits 300 s for the headers of a response. It retries only some of its calls, so
  a 429 for another call ends the command.

A call is therefore held as long as its program waits. For a program that waits less than the budget
needs, the call is answered with 429 and a `Retry-After` that all of them obey.
"""

import math
from collections.abc import Mapping
from typing import Final

from flowflare.api.retries import parse_positive

#: Seconds for a program that does not state its timeout. Most programs wait a minute.
_UNKNOWN: Final = 50.0
#: Seconds for a program without a timeout: longer than the longest wait for the budget.
_PATIENT: Final = 600.0
#: Seconds for wrangler, which waits 300.
_WRANGLER: Final = 295.0
# The 429 must reach the program before its timeout.
_MARGIN: Final = 5.0
#: The longest `Retry-After` in seconds that every program obeys; cloudflare-go ignores a minute.
_LONGEST_RETRY_AFTER: Final = 55
_TIMEOUT_HEADERS: Final = ("x-stainless-read-timeout", "x-stainless-timeout")


def patience_of(headers: Mapping[str, str]) -> float:
    """Return how many seconds a call may wait.

    Args:
        headers: the request's headers by lower-case name.
    """
    for name in _TIMEOUT_HEADERS:
        timeout = parse_positive(headers.get(name))
        if timeout is not None:
            return max(timeout / 2, timeout - _MARGIN)
    if headers.get("x-stainless-lang") == "go":
        return _PATIENT
    if headers.get("user-agent", "").startswith("wrangler/"):
        return _WRANGLER
    return _UNKNOWN


def retry_after(seconds: float) -> int:
    """Return the `Retry-After` of a call that could be sent after so many seconds."""
    return max(1, min(math.ceil(seconds), _LONGEST_RETRY_AFTER))
