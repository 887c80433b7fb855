"""Build the errors about zones, routes, domains and the targets of bindings.

As in `codes`, texts and codes come from sources, or a docstring marks our own interpretation.
"""

from flowflare.emulator.envelope import Refusal, refusal

# Zones, routes, custom domains


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


# Targets of bindings that are missing when a script is uploaded


def namespace_in_binding(identity: str) -> Refusal:
    """Return the error for a binding to an unknown KV namespace."""
    return refusal(
        400,
        10041,
        f"KV namespace '{identity}' not found. Please use a different namespace and try again.",
    )


def bucket_in_binding(name: str) -> Refusal:
    """Return the error for a binding to an unknown R2 bucket."""
    return refusal(
        400, 10085, f"R2 bucket '{name}' not found. Please use a different name and try again."
    )


def queue_in_binding(name: str) -> Refusal:
    """Return the error for a binding to an unknown queue.

    The text is our interpretation.
    """
    return refusal(
        400, 11000, f"Queue '{name}' not found. Please use a different name and try again."
    )


def hyperdrive_in_binding(binding: str, identity: str) -> Refusal:
    """Return the error for a binding to an unknown Hyperdrive configuration.

    The text is our interpretation.
    """
    return refusal(
        400,
        10157,
        f"Hyperdrive binding '{binding}' references config '{identity}' which was not found",
    )


def index_in_binding(binding: str, name: str) -> Refusal:
    """Return the error for a binding to an unknown Vectorize index."""
    return refusal(
        400,
        10159,
        f"Vectorize binding '{binding}' references index '{name}' which was not found",
    )


# The targets themselves


def namespace_exists() -> Refusal:
    """Return the error for a KV namespace title that the account already uses."""
    return refusal(400, 10014, "a namespace with this account ID and title already exists")


def namespace_missing() -> Refusal:
    """Return the error for an unknown KV namespace ID."""
    return refusal(404, 10013, "namespace not found")


def bucket_exists() -> Refusal:
    """Return the error for an R2 bucket name that the account already uses."""
    return refusal(409, 10004, "The bucket you tried to create already exists, and you own it.")


def bucket_missing() -> Refusal:
    """Return the error for an unknown R2 bucket name."""
    return refusal(404, 10006, "The specified bucket does not exist.")


def bucket_name_invalid() -> Refusal:
    """Return the error for an invalid R2 bucket name."""
    return refusal(400, 10005, "The specified bucket name is not valid.")


def bucket_not_empty(name: str, account: str) -> Refusal:
    """Return the error for deleting an R2 bucket that holds objects.

    The status is our interpretation.
    """
    return refusal(
        409, 10008, f"The bucket you tried to delete ({name}) is not empty (account {account})."
    )


def storage_class_invalid() -> Refusal:
    """Return the error for an unknown storage class.

    Code and text are our interpretation.
    """
    return refusal(400, 10062, "The storage class must be Standard or InfrequentAccess.")


def queue_name_invalid() -> Refusal:
    """Return the error for an invalid queue name.

    Code and text are our interpretation.
    """
    return refusal(
        400,
        11003,
        "Queue name is invalid. Names have 1 to 63 lowercase letters, digits and hyphens, and "
        "begin and end with a letter or digit.",
    )


def title_too_long() -> Refusal:
    """Return the error for a KV namespace title of more than 512 bytes.

    Code and text are our interpretation.
    """
    return refusal(400, 10019, "the namespace title must have at most 512 bytes")


def queue_exists(name: str) -> Refusal:
    """Return the error for a queue name that the account already uses."""
    return refusal(
        409,
        11009,
        f"Queue name '{name}' is already taken. Please use a different name and try again.",
    )


def queue_missing() -> Refusal:
    """Return the error for an unknown queue ID.

    The text is our interpretation.
    """
    return refusal(404, 11000, "Queue not found")


def queue_in_use(name: str, script: str) -> Refusal:
    """Return the error for deleting a queue that a script is bound to."""
    return refusal(
        400,
        11005,
        f"Cannot delete queue '{name}' that is still referenced by a binding in a Worker. Unbind "
        f"queue '{name}' from the Workers '{script}'; then try again.",
    )


def queue_handler_missing() -> Refusal:
    """Return the error for a consumer, or its new version, without a `queue` handler."""
    return refusal(
        400,
        11001,
        "Queue handler is missing. Please see our docs for more information about creating "
        "handlers: https://developers.cloudflare.com/queues/configuration/javascript-apis/#consumer",
    )


def consumer_exists() -> Refusal:
    """Return the error for a second consumer of a queue.

    The status is our interpretation.
    """
    return refusal(409, 11004, "workers.api.error.consumer_exists")


def consumer_missing() -> Refusal:
    """Return the error for an unknown consumer ID.

    Code and text are our interpretation.
    """
    return refusal(404, 11002, "workers.api.error.consumer_not_found")


def script_consumes_queue() -> Refusal:
    """Return the error for deleting a script that consumes a queue.

    The status is our interpretation.
    """
    return refusal(409, 10064, "script still in use as a consumer for a queue")


def hyperdrive_exists(name: str) -> Refusal:
    """Return the error for a Hyperdrive name that the account already uses.

    It is our interpretation.
    """
    return refusal(409, 2017, f"A Hyperdrive config with the given name '{name}' already exists")


def hyperdrive_missing() -> Refusal:
    """Return the error for an unknown Hyperdrive configuration ID.

    It is our interpretation.
    """
    return refusal(404, 2001, "Could not find a Hyperdrive config with the given id")


def index_exists() -> Refusal:
    """Return the error for a Vectorize index name that exists.

    The status is our interpretation.
    """
    return refusal(409, 3002, "vectorize.index.duplicate_name")


def index_missing() -> Refusal:
    """Return the error for an unknown Vectorize index name.

    The code is our interpretation.
    """
    return refusal(404, 3000, "vectorize.index.not_found")
