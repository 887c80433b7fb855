"""Build the API's errors: Cloudflare's code, HTTP status and text of each in one place.

Codes, statuses and texts come from issues, client sources and recorded answers. If a status was
never observed, it is 400. A docstring marks what is this emulator's own interpretation.
"""

from collections.abc import Iterable

from flowflare.emulator.envelope import Problem, Refusal, refusal


def authentication() -> Refusal:
    """Return the error for a missing token, or one that does not belong to this data folder."""
    return refusal(403, 10000, "Authentication error")


def too_many_calls() -> Refusal:
    """Return the error for a token that exceeded its calls in five minutes.

    Cloudflare then refuses every call of the token for another five minutes.
    """
    return refusal(429, 971, "Please wait and consider throttling your request speed")


def no_route(path: str) -> Refusal:
    """Return the error for an unknown operation or an identifier of the wrong form."""
    return refusal(
        404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?"
    )


def not_emulated(method: str, path: str) -> Refusal:
    """Return the error for an operation that Cloudflare may have and this emulator does not."""
    return refusal(
        404,
        7003,
        f"Could not route to {path}, perhaps your object identifier is invalid? "
        f"(The emulator does not know the operation {method} {path}.)",
    )


def internal(message: str) -> Refusal:
    """Return the error for a failure of the emulator itself."""
    return refusal(500, 10013, f"An unknown error has occurred: {message}")


# D1


def database_not_found() -> Refusal:
    """Return the error for an unknown database ID or name."""
    return refusal(
        404, 7404, "The database could not be found. It may have been deleted or never existed."
    )


def database_exists() -> Refusal:
    """Return the error for a database name that the account already uses."""
    return refusal(400, 7502, "A database with that name already exists")


def invalid_property(message: str) -> Refusal:
    """Return the error for an invalid property of a D1 request."""
    return refusal(400, 7400, message)


def query_failed(message: str) -> Refusal:
    """Return the error for a statement that SQLite refuses, in SQLite's words."""
    return refusal(400, 7500, message)


# Scripts


def script_not_found() -> Refusal:
    """Return the error for an unknown script name."""
    return refusal(404, 10007, "This Worker does not exist on your account.")


def service_not_found() -> Refusal:
    """Return the error for an unknown service name."""
    return refusal(404, 10090, "workers.api.error.service_not_found")


def content_type(message: str) -> Refusal:
    """Return the error for a content type that the operation does not accept."""
    return refusal(415, 10001, message)


def unparsable(message: str) -> Refusal:
    """Return the error for a body that cannot be parsed."""
    return refusal(400, 10026, message)


def invalid_name(name: str) -> Refusal:
    """Return the error for an invalid script name."""
    return refusal(
        400,
        10016,
        f"Invalid Worker name '{name}'. Names may hold lowercase letters, digits, - and _, "
        "and at most 63 characters.",
    )


def invalid_script(message: str) -> Refusal:
    """Return the error for a script that does not start, or for an invalid binding."""
    return refusal(400, 10021, message)


def no_handlers() -> Refusal:
    """Return the error for a script without event handlers."""
    return refusal(400, 10068, "No event handlers were registered. This script does nothing.")


def binding_without_name() -> Refusal:
    """Return the error for a binding without a name."""
    return refusal(400, 10052, "A binding is missing its name.")


def binding_name_twice(name: str) -> Refusal:
    """Return the error for two bindings with the same name."""
    return refusal(400, 10053, f"the binding name '{name}' cannot be used more than once")


def secret_not_found(name: str) -> Refusal:
    """Return the error for an unknown secret name."""
    return refusal(404, 10056, f"Binding '{name}' was not found.")


def inherited_missing(names: Iterable[str]) -> Refusal:
    """Return the error for all `inherit` bindings that the previous version does not have."""
    return Refusal(
        400,
        [
            Problem(
                10057,
                f"inherit binding '{name}' is invalid: "
                f"previous version does not have binding named '{name}'",
            )
            for name in names
        ],
    )


def database_in_binding(binding: str, database: str) -> Refusal:
    """Return the error for a D1 binding to an unknown database."""
    return refusal(
        400, 10181, f"D1 binding '{binding}' references database '{database}' which was not found"
    )


def service_in_binding(binding: str, script: str) -> Refusal:
    """Return the error for a service binding to an unknown script."""
    return refusal(
        400, 10143, f'could not resolve binding "{binding}": script "{script}" not found'
    )


def workflow_in_binding(binding: str, workflow: str) -> Refusal:
    """Return the error for a binding to an unknown Workflow of another script.

    The meaning of code 10200 here is our interpretation.
    """
    return refusal(
        400,
        10200,
        f"Workflow binding '{binding}' references workflow '{workflow}' which was not found",
    )


def still_referenced(name: str, kind: str, scripts: Iterable[str]) -> Refusal:
    """Return the error for deleting, without `force`, a script that other scripts are bound to."""
    others = ", ".join(f"'{script}'" for script in scripts)
    return refusal(
        400,
        10142,
        f"Cannot delete service '{name}' because it is still referenced by {kind} bindings in "
        f"Workers {others}. Please remove bindings pointing to it and try again.",
    )


def version_not_found() -> Refusal:
    """Return the error for an unknown version ID."""
    return refusal(404, 100146, "workers.api.error.version_not_found")


def deployment_not_found() -> Refusal:
    """Return the error for an unknown deployment ID."""
    return refusal(404, 10336, "workers.api.error.deployment_not_found")


def settings_edit_refused() -> Refusal:
    """Return the error for changing settings while a newer version is not deployed yet."""
    return refusal(
        400,
        10214,
        "Script edit failed. You attempted to deploy the latest version with modified settings, "
        "but the latest version isn't currently deployed.",
    )


def secret_edit_refused() -> Refusal:
    """Return the error for changing a secret while a newer version is not deployed yet."""
    return refusal(
        400,
        10215,
        "Secret edit failed. You attempted to modify a secret, but the latest version of your "
        "Worker isn't currently deployed.",
    )


def version_with_migration() -> Refusal:
    """Return the error for uploading a version with class migrations."""
    return refusal(
        400,
        10211,
        "Version upload failed. You attempted to upload a version of a Worker that includes a "
        "Durable Object migration, but migrations must be fully applied via a non-versioned "
        "deployment.",
    )


# Durable Objects


def class_not_configured(name: str) -> Refusal:
    """Return the error for binding a class that no migration made a Durable Object."""
    return refusal(
        400,
        10061,
        f"Cannot create binding for class '{name}' because it is not currently configured to "
        "implement Durable Objects. Ensure a --new-class migration has been applied to it.",
    )


def class_not_exported(name: str) -> Refusal:
    """Return the error for binding a class that the script does not export."""
    return refusal(
        400, 10061, f"Cannot create binding for class '{name}' that is not exported by the script"
    )


def class_in_no_script(name: str, script: str) -> Refusal:
    """Return the error for binding a class of an unknown script."""
    return refusal(
        400,
        10061,
        f"Cannot create binding for class '{name}' in script '{script}' that does not exist",
    )


def deleted_class_is_bound(name: str) -> Refusal:
    """Return the error for deleting a class that the same upload binds."""
    return refusal(
        400,
        10061,
        f"Cannot apply --delete-class migration to class '{name}' without also removing the "
        "binding that references it.",
    )


def class_still_used(name: str) -> Refusal:
    """Return the error for a new version that lacks a class which has Durable Objects."""
    return refusal(
        403,
        10064,
        f"New version of script does not export class '{name}' which is depended on by existing "
        "Durable Objects. If you want to delete the Durable Objects, try a delete-class migration.",
    )


def new_class_not_exported(kind: str, name: str) -> Refusal:
    """Return the error for a migration to a class that the script does not export."""
    return refusal(
        400,
        10070,
        f"Cannot apply {kind} migration to class '{name}' that is not exported by script",
    )


def class_exists(kind: str, name: str) -> Refusal:
    """Return the error for a migration that creates a class which already exists."""
    return refusal(
        400,
        10074,
        f"Cannot apply {kind} migration to class '{name}' that is already depended on by existing "
        "Durable Objects",
    )


def class_unknown(kind: str, name: str) -> Refusal:
    """Return the error for migrating a class that the previous version did not have.

    The text is our interpretation.
    """
    return refusal(
        400,
        10074,
        f"Cannot apply {kind} migration to class '{name}' that was not exported by the previous "
        "version of the script",
    )


def class_twice(name: str) -> Refusal:
    """Return the error for a class in two directives of one migration."""
    return refusal(400, 10074, f"Class '{name}' cannot be the target of more than one migration")


def tag_mismatch(given: str, live: str) -> Refusal:
    """Return the error for class migrations that do not start at the live tag."""
    return refusal(
        412,
        10079,
        f"Actor migration tag precondition failed, got tag '{given}' when expected tag is "
        f"'{live}'. Please make sure the tags match and try again.",
    )


def needs_sqlite() -> Refusal:
    """Return the error for a key-value class on a free account."""
    return refusal(
        400,
        10097,
        "In order to use Durable Objects with a free plan, you must create a namespace using a "
        "`new_sqlite_classes` migration.",
    )


def no_more_key_value() -> Refusal:
    """Return the error for a key-value class on an account that cannot create more of them."""
    return refusal(
        400,
        10099,
        "Creating new key-value backed Durable Object namespaces is no longer supported on this "
        "account. Use a `new_sqlite_classes` migration.",
    )


def namespace_not_found() -> Refusal:
    """Return the error for an unknown Durable Object namespace ID."""
    return refusal(404, 10066, "Durable Object namespace not found.")


# Workflows, schedules, subdomains


def workflow_not_found() -> Refusal:
    """Return the error for an unknown Workflow name."""
    return refusal(404, 10200, "workflows.api.error.not_found")


def workflow_class(message: str) -> Refusal:
    """Return the error for a Workflow whose script or class does not exist.

    Code and text are our interpretation.
    """
    return refusal(400, 10201, message)


def invalid_cron(cron: str) -> Refusal:
    """Return the error for a schedule that is not a cron expression.

    The code is our interpretation.
    """
    return refusal(400, 10020, f"invalid cron string: '{cron}'")


def invalid_body(message: str) -> Refusal:
    """Return the error for a JSON body that the operation cannot accept."""
    return refusal(400, 10001, message)
