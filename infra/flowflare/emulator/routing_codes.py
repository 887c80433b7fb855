"""List the errors about zones, routes and custom domains.

As in `codes`, strings and codes come from sources, or an error says that it is our interpretation.
"""

from flowflare.emulator.envelope import Code

zone_not_found = Code(
    404, 1001, "Invalid zone identifier", "an unknown zone ID. The status is our interpretation."
)
zone_exists = Code(400, 1061, "{name} already exists", "a zone name that already exists.")
route_not_found = Code(404, 10009, "workers.api.error.route_not_found", "an unknown route ID.")
route_exists = Code(
    409,
    10020,
    "A route with the same pattern already exists",
    "a pattern that another route of the zone has.",
)
route_unreadable = Code(
    400,
    10022,
    "Could not understand route pattern [{pattern}], please try a different pattern",
    "an invalid route pattern.",
)
route_outside_zone = Code(
    400,
    10022,
    "Route pattern must include zone name: {zone}",
    "a pattern with a hostname of another zone.",
)
domain_not_found = Code(
    404, 100114, "workers.api.error.domain_not_found", "an unknown custom domain ID."
)
domain_outside_zone = Code(
    400,
    100115,
    "The hostname '{hostname}' does not belong to the zone '{zone}'.",
    "a hostname outside the zone. Code and text are our interpretation.",
)
