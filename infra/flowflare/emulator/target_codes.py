"""The errors about what is around scripts: zones, routes, domains, and what bindings point to.

As in `codes`: texts and codes were read, or a comment says that they are our own reading.
"""

from flowflare.emulator.envelope import Refusal, refusal

# Zones, routes, custom domains


def zone_not_found() -> Refusal:
    """No zone of that id (status: our reading)."""
    return refusal(404, 1001, "Invalid zone identifier")


def zone_exists(name: str) -> Refusal:
    """Another zone has that name."""
    return refusal(400, 1061, f"{name} already exists")


def route_not_found() -> Refusal:
    """No route of that id."""
    return refusal(404, 10009, "workers.api.error.route_not_found")


def route_exists() -> Refusal:
    """Another route of the zone has that pattern."""
    return refusal(409, 10020, "A route with the same pattern already exists")


def route_unreadable(pattern: str) -> Refusal:
    """A pattern that is none."""
    return refusal(
        400,
        10022,
        f"Could not understand route pattern [{pattern}], please try a different pattern",
    )


def route_outside_zone(zone: str) -> Refusal:
    """A pattern with a hostname of another zone."""
    return refusal(400, 10022, f"Route pattern must include zone name: {zone}")


def domain_not_found() -> Refusal:
    """No custom domain of that id."""
    return refusal(404, 100114, "workers.api.error.domain_not_found")


def domain_outside_zone(hostname: str, zone: str) -> Refusal:
    """A hostname that is not the zone's (code and text: our reading)."""
    return refusal(400, 100115, f"The hostname '{hostname}' does not belong to the zone '{zone}'.")


# What bindings point to, missing when a script is uploaded


def namespace_in_binding(identity: str) -> Refusal:
    """A binding to a KV namespace that is not there."""
    return refusal(
        400,
        10041,
        f"KV namespace '{identity}' not found. Please use a different namespace and try again.",
    )


def bucket_in_binding(name: str) -> Refusal:
    """A binding to an R2 bucket that is not there."""
    return refusal(
        400, 10085, f"R2 bucket '{name}' not found. Please use a different name and try again."
    )


def queue_in_binding(name: str) -> Refusal:
    """A binding to a queue that is not there (text: our reading)."""
    return refusal(
        400, 11000, f"Queue '{name}' not found. Please use a different name and try again."
    )


def hyperdrive_in_binding(binding: str, identity: str) -> Refusal:
    """A binding to a Hyperdrive configuration that is not there (text: our reading)."""
    return refusal(
        400,
        10157,
        f"Hyperdrive binding '{binding}' references config '{identity}' which was not found",
    )


def index_in_binding(binding: str, name: str) -> Refusal:
    """A binding to a Vectorize index that is not there."""
    return refusal(
        400,
        10159,
        f"Vectorize binding '{binding}' references index '{name}' which was not found",
    )


# The same things themselves


def namespace_exists() -> Refusal:
    """Another KV namespace of the account has that title."""
    return refusal(400, 10014, "a namespace with this account ID and title already exists")


def namespace_missing() -> Refusal:
    """No KV namespace of that id."""
    return refusal(404, 10013, "namespace not found")


def bucket_exists() -> Refusal:
    """Another R2 bucket of the account has that name."""
    return refusal(409, 10004, "The bucket you tried to create already exists, and you own it.")


def bucket_missing() -> Refusal:
    """No R2 bucket of that name."""
    return refusal(404, 10006, "The specified bucket does not exist.")


def queue_exists(name: str) -> Refusal:
    """Another queue of the account has that name."""
    return refusal(
        409,
        11009,
        f"Queue name '{name}' is already taken. Please use a different name and try again.",
    )


def queue_missing() -> Refusal:
    """No queue of that id (text: our reading)."""
    return refusal(404, 11000, "Queue not found")


def queue_in_use(name: str, script: str) -> Refusal:
    """A queue that a script is bound to, deleted."""
    return refusal(
        400,
        11005,
        f"Cannot delete queue '{name}' that is still referenced by a binding in a Worker. Unbind "
        f"queue '{name}' from the Workers '{script}'; then try again.",
    )


def hyperdrive_exists(name: str) -> Refusal:
    """Another Hyperdrive configuration of the account has that name (our reading)."""
    return refusal(409, 2017, f"A Hyperdrive config with the given name '{name}' already exists")


def hyperdrive_missing() -> Refusal:
    """No Hyperdrive configuration of that id (our reading)."""
    return refusal(404, 2001, "Could not find a Hyperdrive config with the given id")


def index_exists() -> Refusal:
    """Another Vectorize index of the account has that name (status: our reading)."""
    return refusal(409, 3002, "vectorize.index.duplicate_name")


def index_missing() -> Refusal:
    """No Vectorize index of that name (code: our reading)."""
    return refusal(404, 3000, "vectorize.index.not_found")
