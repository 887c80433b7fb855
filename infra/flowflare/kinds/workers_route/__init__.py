"""Routes: URL patterns of a zone that a script serves."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="cloudflare:index/workersRoute:WorkersRoute",
    folder=__name__,
    apply="WorkersRoute",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="RouteSettings",
    declare="declare_route",
    is_owned=True,
    wrangler="write",
)
