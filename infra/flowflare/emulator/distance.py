"""Hold how far away a deployed account is: the round trips that are added to calls.

The model: a call of the API, or of a D1 database, KV namespace, R2 bucket or Durable Object by a
Worker, takes one round trip. A D1 database answers one call at a time, whatever its number of
statements, and each takes the service time. Nothing is added by default.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_DURATION: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s)")


def parse_duration(text: object) -> float:
    """Return the milliseconds of a text such as `60ms` or `0.1s`.

    Raises:
        ValueError: the text is not a duration.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"must be a duration such as 60ms or 0.1s, got {text!r}")
    return float(match[1]) * (1000 if match[2] == "s" else 1)


Duration = Annotated[float, BeforeValidator(parse_duration), Field(ge=0, le=60_000)]


class Distance(BaseModel):
    """Set the round trip of one account's calls, or of all accounts without their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str | None = None
    latency: Duration = 0
    """Milliseconds of one round trip."""
    d1_service_time: Duration = 1
    """Milliseconds for which a call occupies its D1 database. Cloudflare's limits of D1 give the
    example of queries of 1 ms, which a database answers at 1,000 a second."""


@dataclass(frozen=True)
class Milliseconds:
    """The distance of an account, as the Node child receives it."""

    latency: float
    d1_service_time: float


class Distances:
    """Hold the distances of accounts; None is for all others."""

    def __init__(self) -> None:
        self._set: dict[str | None, Distance] = {}

    def set(self, distance: Distance) -> None:
        """Set the distance of an account or of all others. A latency of 0 adds nothing."""
        self._set[distance.account] = distance

    def of(self, account: str | None) -> Milliseconds | None:
        """Return the distance of an account; None if its calls are not delayed."""
        distance = self._set.get(account) or self._set.get(None)
        if distance is None or not distance.latency:
            return None
        return Milliseconds(distance.latency, distance.d1_service_time)

    async def travel(self, account: str | None) -> None:
        """Wait for one round trip of an account."""
        if self._set and (distance := self.of(account)):
            await asyncio.sleep(distance.latency / 1000)
