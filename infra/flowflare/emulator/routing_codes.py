"""Build the errors about zones, routes and custom domains.

As in `codes`, texts and codes come from sources, or a docstring marks our own interpretation.
"""

from flowflare.emulator.envelope import Refusal, refusal


def zone_not_found() -> Refusal:
    """Return the error for an unknown zone ID.

    The status is our interpretation.
    """
    return refusal(404, 1001, "Invalid zone identifier")


def zone_exists(name: str) -> Refusal:
    """Return the error for a zone name that already exists."""
    return refusal(400, 1061, f"{name} already exists")


def route_not_found() -> Refusal:
    """Return the error for an unknown route ID."""
    return refusal(404, 10009, "workers.api.error.route_not_found")


def route_exists() -> Refusal:
    """Return the error for a pattern that another route of the zone has."""
    return refusal(409, 10020, "A route with the same pattern already exists")


def route_unreadable(pattern: str) -> Refusal:
    """Return the error for an invalid route pattern."""
    return refusal(
        400,
        10022,
        f"Could not understand route pattern [{pattern}], please try a different pattern",
    )


def route_outside_zone(zone: str) -> Refusal:
    """Return the error for a pattern with a hostname of another zone."""
    return refusal(400, 10022, f"Route pattern must include zone name: {zone}")


def domain_not_found() -> Refusal:
    """Return the error for an unknown custom domain ID."""
    return refusal(404, 100114, "workers.api.error.domain_not_found")


def domain_outside_zone(hostname: str, zone: str) -> Refusal:
    """Return the error for a hostname outside the zone.

    Code and text are our interpretation.
    """
    return refusal(400, 100115, f"The hostname '{hostname}' does not belong to the zone '{zone}'.")
