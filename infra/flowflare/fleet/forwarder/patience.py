"""How long a call may be held back before the program that made it gives up.

* The official SDK for Python, and so our own clients, say it in `x-stainless-read-timeout`: 60 s.
  A 429 makes three attempts of a call, and a `Retry-After` of up to 60 s is waited for.
* cloudflare-go, which Pulumi's provider calls with, waits for ever or says it in
  `x-stainless-timeout`; of `Retry-After` it obeys what is less than a minute.
* wrangler's undici waits 300 s for the head of an answer. It repeats some of its calls only, so
  that a 429 for another one is its end.

So a call is held as long as its program waits, which for most is a whole window; whoever waits
less is answered 429 with a `Retry-After` that all of them obey.
"""

import math
from collections.abc import Mapping
from typing import Final

#: Seconds for a program that says nothing of itself: most wait a minute.
_UNKNOWN: Final = 50.0
#: Seconds for one that waits for ever: longer than the longest block.
_PATIENT: Final = 600.0
#: Seconds for wrangler, which waits 300.
_WRANGLER: Final = 295.0
# Ours has an answer's way back to go before the program's clock has run out.
_MARGIN: Final = 5.0
#: Seconds that every program waits when it is asked to; all of them ignore a minute and more.
_LONGEST_ASKED: Final = 55
_TOLD: Final = ("x-stainless-read-timeout", "x-stainless-timeout")


def patience_of(headers: Mapping[str, str]) -> float:
    """Seconds that a call may be held back.

    Args:
        headers: the request's, by lower-case name.
    """
    for name in _TOLD:
        told = _number(headers.get(name))
        if told is not None:
            return max(told / 2, told - _MARGIN)
    if headers.get("x-stainless-lang") == "go":
        return _PATIENT
    if headers.get("user-agent", "").startswith("wrangler/"):
        return _WRANGLER
    return _UNKNOWN


def retry_after(seconds: float) -> int:
    """The `Retry-After` for a call whose turn is so many seconds away."""
    return max(1, min(math.ceil(seconds), _LONGEST_ASKED))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
