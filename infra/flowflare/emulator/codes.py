"""Every error the emulator answers, by Cloudflare's code: HTTP status and text in one place.

Codes, statuses and texts were read from issues, client sources and recorded answers; where a
status was never seen, 400 stands. A comment marks what is this emulator's own reading.
"""

from collections.abc import Iterable

from flowflare.emulator.envelope import Problem, Refusal, refusal


def authentication() -> Refusal:
    """No token, or one that this data folder does not have."""
    return refusal(403, 10000, "Authentication error")


def too_many_calls() -> Refusal:
    """More calls than a token has in five minutes; for as long again nothing else is answered."""
    return refusal(429, 971, "Please wait and consider throttling your request speed")


def no_route(path: str) -> Refusal:
    """An operation that is not there, or an identifier that cannot be one."""
    return refusal(
        404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?"
    )


def not_emulated(method: str, path: str) -> Refusal:
    """An operation Cloudflare may have and this emulator has not."""
    return refusal(
        404,
        7003,
        f"Could not route to {path}, perhaps your object identifier is invalid? "
        f"(The emulator does not know the operation {method} {path}.)",
    )


def internal(message: str) -> Refusal:
    """The emulator itself cannot go on."""
    return refusal(500, 10013, f"An unknown error has occurred: {message}")


# D1


def database_not_found() -> Refusal:
    """No database of that id or name."""
    return refusal(
        404, 7404, "The database could not be found. It may have been deleted or never existed."
    )


def database_exists() -> Refusal:
    """Another database of the account has that name."""
    return refusal(400, 7502, "A database with that name already exists")


def invalid_property(message: str) -> Refusal:
    """A property of a D1 request that is not as it must be."""
    return refusal(400, 7400, message)


def query_failed(message: str) -> Refusal:
    """SQLite's own words for what is wrong with a statement."""
    return refusal(400, 7500, message)


# Scripts


def script_not_found() -> Refusal:
    """No script of that name."""
    return refusal(404, 10007, "This Worker does not exist on your account.")


def service_not_found() -> Refusal:
    """No service of that name."""
    return refusal(404, 10090, "workers.api.error.service_not_found")


def content_type(message: str) -> Refusal:
    """A body whose content type the operation does not take."""
    return refusal(415, 10001, message)


def unparsable(message: str) -> Refusal:
    """A body that cannot be read."""
    return refusal(400, 10026, message)


def invalid_name(name: str) -> Refusal:
    """A script name that no script may have."""
    return refusal(
        400,
        10016,
        f"Invalid Worker name '{name}'. Names may hold lowercase letters, digits, - and _, "
        "and at most 63 characters.",
    )


def invalid_script(message: str) -> Refusal:
    """A script that does not start, or a binding that is not as it must be."""
    return refusal(400, 10021, message)


def no_handlers() -> Refusal:
    """A script that registers nothing."""
    return refusal(400, 10068, "No event handlers were registered. This script does nothing.")


def binding_without_name() -> Refusal:
    """A binding with no name."""
    return refusal(400, 10052, "A binding is missing its name.")


def binding_name_twice(name: str) -> Refusal:
    """Two bindings of one name."""
    return refusal(400, 10053, f"the binding name '{name}' cannot be used more than once")


def secret_not_found(name: str) -> Refusal:
    """No secret of that name."""
    return refusal(404, 10056, f"Binding '{name}' was not found.")


def inherited_missing(names: Iterable[str]) -> Refusal:
    """`inherit` bindings that the previous version does not have, all of them at once."""
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
    """A D1 binding to a database that is not there."""
    return refusal(
        400, 10181, f"D1 binding '{binding}' references database '{database}' which was not found"
    )


def service_in_binding(binding: str, script: str) -> Refusal:
    """A service binding to a script that is not there."""
    return refusal(
        400, 10143, f'could not resolve binding "{binding}": script "{script}" not found'
    )


def workflow_in_binding(binding: str, workflow: str) -> Refusal:
    """A binding to another script's Workflow that is not there (our reading of 10200)."""
    return refusal(
        400,
        10200,
        f"Workflow binding '{binding}' references workflow '{workflow}' which was not found",
    )


def still_referenced(name: str, kind: str, scripts: Iterable[str]) -> Refusal:
    """A script that others are bound to, deleted without `force`."""
    others = ", ".join(f"'{each}'" for each in scripts)
    return refusal(
        400,
        10142,
        f"Cannot delete service '{name}' because it is still referenced by {kind} bindings in "
        f"Workers {others}. Please remove bindings pointing to it and try again.",
    )


def version_not_found() -> Refusal:
    """No version of that id."""
    return refusal(404, 100146, "workers.api.error.version_not_found")


def deployment_not_found() -> Refusal:
    """No deployment of that id."""
    return refusal(404, 10336, "workers.api.error.deployment_not_found")


def settings_edit_refused() -> Refusal:
    """Settings are changed while a later version than the live one waits to be deployed."""
    return refusal(
        400,
        10214,
        "Script edit failed. You attempted to deploy the latest version with modified settings, "
        "but the latest version isn't currently deployed.",
    )


def secret_edit_refused() -> Refusal:
    """A secret is changed while a later version than the live one waits to be deployed."""
    return refusal(
        400,
        10215,
        "Secret edit failed. You attempted to modify a secret, but the latest version of your "
        "Worker isn't currently deployed.",
    )


def version_with_migration() -> Refusal:
    """A version upload with class migrations."""
    return refusal(
        400,
        10211,
        "Version upload failed. You attempted to upload a version of a Worker that includes a "
        "Durable Object migration, but migrations must be fully applied via a non-versioned "
        "deployment.",
    )


# Durable Objects


def class_not_configured(name: str) -> Refusal:
    """A binding to a class that no migration has made a Durable Object."""
    return refusal(
        400,
        10061,
        f"Cannot create binding for class '{name}' because it is not currently configured to "
        "implement Durable Objects. Ensure a --new-class migration has been applied to it.",
    )


def class_not_exported(name: str) -> Refusal:
    """A binding to a class that the script does not export."""
    return refusal(
        400, 10061, f"Cannot create binding for class '{name}' that is not exported by the script"
    )


def class_in_no_script(name: str, script: str) -> Refusal:
    """A binding to a class of a script that is not there."""
    return refusal(
        400,
        10061,
        f"Cannot create binding for class '{name}' in script '{script}' that does not exist",
    )


def deleted_class_is_bound(name: str) -> Refusal:
    """A class is deleted and bound at once."""
    return refusal(
        400,
        10061,
        f"Cannot apply --delete-class migration to class '{name}' without also removing the "
        "binding that references it.",
    )


def class_still_used(name: str) -> Refusal:
    """A new version lacks a class that has Durable Objects."""
    return refusal(
        403,
        10064,
        f"New version of script does not export class '{name}' which is depended on by existing "
        "Durable Objects. If you want to delete the Durable Objects, try a delete-class migration.",
    )


def new_class_not_exported(kind: str, name: str) -> Refusal:
    """A migration makes a class that the script does not export."""
    return refusal(
        400,
        10070,
        f"Cannot apply {kind} migration to class '{name}' that is not exported by script",
    )


def class_exists(kind: str, name: str) -> Refusal:
    """A migration makes a class that there is already."""
    return refusal(
        400,
        10074,
        f"Cannot apply {kind} migration to class '{name}' that is already depended on by existing "
        "Durable Objects",
    )


def class_unknown(kind: str, name: str) -> Refusal:
    """A migration of a class that the previous version did not have (text: our reading)."""
    return refusal(
        400,
        10074,
        f"Cannot apply {kind} migration to class '{name}' that was not exported by the previous "
        "version of the script",
    )


def class_twice(name: str) -> Refusal:
    """One class in two directives of one migration."""
    return refusal(400, 10074, f"Class '{name}' cannot be the target of more than one migration")


def tag_mismatch(given: str, live: str) -> Refusal:
    """Class migrations that do not start at the live tag."""
    return refusal(
        412,
        10079,
        f"Actor migration tag precondition failed, got tag '{given}' when expected tag is "
        f"'{live}'. Please make sure the tags match and try again.",
    )


def needs_sqlite() -> Refusal:
    """A key-value class on a free account."""
    return refusal(
        400,
        10097,
        "In order to use Durable Objects with a free plan, you must create a namespace using a "
        "`new_sqlite_classes` migration.",
    )


def no_more_key_value() -> Refusal:
    """A key-value class on an account that may not make any more."""
    return refusal(
        400,
        10099,
        "Creating new key-value backed Durable Object namespaces is no longer supported on this "
        "account. Use a `new_sqlite_classes` migration.",
    )


def namespace_not_found() -> Refusal:
    """No Durable Object namespace of that id."""
    return refusal(404, 10066, "Durable Object namespace not found.")


# Workflows, schedules, subdomains


def workflow_not_found() -> Refusal:
    """No Workflow of that name."""
    return refusal(404, 10200, "workflows.api.error.not_found")


def workflow_class(message: str) -> Refusal:
    """A Workflow whose script or class is not there (code and text: our reading)."""
    return refusal(400, 10201, message)


def invalid_cron(cron: str) -> Refusal:
    """A schedule that is no cron expression (code: our reading)."""
    return refusal(400, 10020, f"invalid cron string: '{cron}'")


def invalid_body(message: str) -> Refusal:
    """A JSON body that the operation cannot take."""
    return refusal(400, 10001, message)
