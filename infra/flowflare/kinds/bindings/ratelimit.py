"""Rate limiters."""

from typing import Annotated, Any, Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import WrittenAsInApi


class RateLimit(WrittenAsInApi):
    """The rate of a rate limiter."""

    limit: Annotated[float, Field(ge=0, strict=False)] = Field(description="Calls per period.")
    period: Literal[10, 60] = Field(description="The period in seconds.")
    mitigation_timeout: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Seconds for which a caller above the limit is refused."
    )


class RateLimitBinding(WrittenAsInApi):
    """A rate limiter."""

    type: Literal["ratelimit"] = Field(description="A rate limiter.")
    namespace_id: Text = Field(
        description="A number in quotes; bindings with the same number share their counts."
    )
    simple: RateLimit = Field(description="`limit` calls in `period` seconds.")


def _convert(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return None for a mitigation timeout, which wrangler does not support."""
    return None if "mitigation_timeout" in entry["simple"] else entry


BINDING = BindingType(
    "ratelimit",
    RateLimitBinding,
    wrangler=WranglerEntry("ratelimits", name="name", convert=_convert),
)
