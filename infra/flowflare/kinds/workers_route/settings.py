"""The keys of a Worker's routes in the configuration."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from flowflare.model.written import Written, ZoneId, refusal

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOSTNAME: Final = re.compile(rf"(?=.{{4,253}}$)({_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PATTERN = re.compile(r"(?:https?://|\*://)?(?P<host>[^/?#]+)(?P<path>/[^?#]*)?")


def _check_pattern(value: str) -> str:
    """Check a route pattern against Cloudflare's rule: `*` may begin the host and end the path."""
    match = _PATTERN.fullmatch(value)
    host = match["host"] if match else ""
    path = (match["path"] or "") if match else ""
    bare = host.removeprefix("*").removeprefix(".")
    if "*" in bare or "*" in path.removesuffix("*"):
        remedy = "A `*` may only begin the host or end the path: *.example.com/api/*"
        raise refusal(f"is {value!r}, which has a `*` inside", remedy)
    if not HOSTNAME.fullmatch(bare):
        remedy = "Write a host with a path, without a query: shop.example.com/api/*"
        raise refusal(f"is {value!r}, which is not a pattern for a route", remedy)
    return value


class RouteConfig(Written):
    """One route."""

    pattern: Annotated[str, AfterValidator(_check_pattern)] = Field(
        description="The URLs that it matches: a host, which may begin with `*`, and a path, which "
        "may end with `*`, for example `shop.example.com/api/*`."
    )
    zone_id: ZoneId = Field(description="The zone of the route's host, 32 hexadecimal digits.")


class RouteSettings(Written):
    """The routes of a Worker."""

    routes: list[RouteConfig] = Field(
        default_factory=list, description="The Worker's routes, in zones of the account."
    )
