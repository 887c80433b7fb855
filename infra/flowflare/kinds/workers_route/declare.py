"""Register a route of a script."""

import pulumi

from flowflare.kinds.cloudflare import WorkersRoute
from flowflare.model.worker import RouteSpec


def declare_route(
    name: str, route: RouteSpec, script_name: str, opts: pulumi.ResourceOptions
) -> WorkersRoute:
    """Declare a `WorkersRoute`, whose resource name is `name` and the route's pattern.

    With a number as its name, removing one route would replace every route after it.
    """
    # Cloudflare allows a pattern only once, so the old route is deleted first.
    first = pulumi.ResourceOptions(delete_before_replace=True)
    return WorkersRoute(
        f"{name}-route-{route.pattern}",
        zone_id=route.zone_id,
        pattern=route.pattern,
        script=script_name,
        opts=pulumi.ResourceOptions.merge(opts, first),
    )
