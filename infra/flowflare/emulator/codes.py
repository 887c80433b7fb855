"""List the API's errors in one place, each with Cloudflare's code, HTTP status and text.

Codes, statuses and strings come from issues, client sources and recorded answers. A status that was
never observed is 400. An error names the public trace that it comes from (`trace`), or its answer
says in the header `X-Emulator-Reading` what is this emulator's own interpretation.
"""

from collections.abc import Iterable

from flowflare.emulator.envelope import READING, UNTRACED, Code, Problem, Refusal

NOT_EMULATED = 501501
"""The code of an operation that is not emulated. Cloudflare's codes have at most six digits; none
that clients know begins with 501."""

authentication = Code(
    403,
    10000,
    "Authentication error",
    "a token that does not belong to this data folder.",
    trace="workers-sdk #2611",
)
no_credentials = Code(
    400,
    9106,
    "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
    "a call without a token: no such header, or an Authorization of another scheme than Bearer.",
    trace="cloudflare-python #2678, xiaotianxt/bypass-cloudflare-for-github-action #2",
)
malformed_token = Code(
    400,
    6003,
    "Invalid request headers",
    "an Authorization header whose token has not the form of a token, with code 6111 in "
    "`error_chain`.",
    trace="workers-sdk #5175",
    chain=(Problem(6111, "Invalid format for Authorization header"),),
)
malformed_key = Code(
    400,
    6003,
    "Invalid request headers",
    "an X-Auth-Key header that has not the form of a Global API Key, with code 6103 in "
    "`error_chain`.",
    trace="cloudflare-typescript #161, acme.sh #6435",
    chain=(Problem(6103, "Invalid format for X-Auth-Key header"),),
)
too_many_calls = Code(
    429,
    971,
    "Please wait and consider throttling your request speed",
    "a token that exceeded its calls in five minutes. Cloudflare then refuses every call "
    "of the token for another five minutes.",
)
no_route = Code(
    404,
    7003,
    "Could not route to {path}, perhaps your object identifier is invalid?",
    "an unknown operation or an identifier of the wrong form.",
    trace="workers-sdk #2100, timothymiller/cloudflare-ddns #152",
)


def not_emulated(method: str, path: str) -> Refusal:
    """Return the error for an operation that Cloudflare may have and this emulator does not.

    The code and the status are this emulator's own. Clients read 404 as "this object does not
    exist", and providers then drop it from their state.
    """
    message = f"The emulator does not know the operation {method} {path}."
    own = {"x-should-retry": "false", READING: "Code and status are the emulator's own."}
    return Refusal(501, [Problem(NOT_EMULATED, message)], own)


internal = Code(
    500, 10013, "An unknown error has occurred: {message}", "a failure of the emulator itself."
)


# D1
database_not_found = Code(
    404,
    7404,
    "The database could not be found. It may have been deleted or never existed.",
    "an unknown database ID or name.",
)
database_exists = Code(
    400,
    7502,
    "A database with that name already exists",
    "a database name that the account already uses.",
    trace="workers-sdk #2143",
)
invalid_property = Code(
    400, 7400, "{message}", "an invalid property of a D1 request.", trace="workers-sdk #4636"
)
query_failed = Code(400, 7500, "{message}", "a statement that SQLite refuses, in SQLite's words.")
query_overran = Code(
    400,
    7429,
    "D1 DB exceeded its CPU time limit and was reset.",
    "queries that run for more than 30 seconds. The text is public; the code is our reading.",
)


# Scripts
script_not_found = Code(
    404,
    10007,
    "This Worker does not exist on your account.",
    "an unknown script name.",
    trace="crowdsecurity/cs-cloudflare-worker-bouncer #44",
)
service_not_found = Code(
    404,
    10090,
    "workers.api.error.service_not_found",
    "an unknown service name.",
    trace="workers-sdk #3791",
)
content_type = Code(415, 10001, "{message}", "a content type that the operation does not accept.")
unparsable = Code(400, 10026, "{message}", "a body that cannot be parsed.")
invalid_name = Code(
    400,
    10016,
    "Invalid Worker name '{name}'. Names may hold lowercase letters, digits, - and _, "
    "and at most 63 characters.",
    "an invalid script name.",
)
invalid_script = Code(
    400, 10021, "{message}", "a script that does not start, or for an invalid binding."
)
no_metadata = Code(
    400,
    10021,
    "could not read content for part metadata",
    "an upload without the part `metadata`.",
    trace="cloudflare-typescript #158, cloudflare-typescript #2645",
)
script_too_large = Code(
    400,
    10027,
    "Your Worker exceeded the size limit of {limit} MiB. Refer to the Workers documentation "
    "(https://developers.cloudflare.com/workers/observability/errors/#errors-on-worker-upload) "
    "for more details.",
    "modules of more than 10 MiB after gzip, the limit of the paid plan.",
    trace="workers-sdk #9101",
)
text_too_large = Code(
    400,
    10054,
    "Text binding '{name}' is too large.",
    "a variable or secret of more than 5 KiB. The exact limit and the end of the text are our "
    "interpretation.",
)
no_handlers = Code(
    400,
    10068,
    "No event handlers were registered. This script does nothing.",
    "a script without event handlers.",
)
binding_without_name = Code(
    400, 10052, "A binding is missing its name.", "a binding without a name."
)
binding_name_twice = Code(
    400,
    10053,
    "the binding name '{name}' cannot be used more than once",
    "two bindings with the same name.",
)
secret_not_found = Code(404, 10056, "Binding '{name}' was not found.", "an unknown secret name.")


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
        {READING: UNTRACED},
    )


database_in_binding = Code(
    400,
    10181,
    "D1 binding '{binding}' references database '{database}' which was not found",
    "a D1 binding to an unknown database.",
    trace="tianma-if/edgeever #311",
)
service_in_binding = Code(
    400,
    10143,
    'could not resolve binding "{binding}": script "{script}" not found',
    "a service binding to an unknown script.",
)
workflow_in_binding = Code(
    400,
    10200,
    "Workflow binding '{binding}' references workflow '{workflow}' which was not found",
    "a binding to an unknown Workflow of another script. The meaning of code 10200 here "
    "is our interpretation.",
)


def still_referenced(name: str, kind: str, scripts: Iterable[str]) -> Refusal:
    """Return the error for deleting, without `force`, a script that other scripts are bound to."""
    others = ", ".join(f"'{script}'" for script in scripts)
    message = (
        f"Cannot delete service '{name}' because it is still referenced by {kind} bindings in "
        f"Workers {others}. Please remove bindings pointing to it and try again."
    )
    return Refusal(400, [Problem(10142, message)], {READING: UNTRACED})


version_not_found = Code(
    404, 100146, "workers.api.error.version_not_found", "an unknown version ID."
)
no_versions = Code(
    404,
    10222,
    "This Worker has no versions.",
    "patching the latest version of a Worker without versions. The code is the one that wrangler "
    "reads; status and text are our reading.",
)
version_deployed = Code(
    400,
    10001,
    "Version {version} is deployed and cannot be deleted.",
    "deleting a version that is part of the active deployment (our reading).",
)
worker_exists = Code(
    409,
    10001,
    "A Worker named {name} already exists.",
    "creating a Worker whose name is taken (our reading).",
)
deployment_not_found = Code(
    404, 10336, "workers.api.error.deployment_not_found", "an unknown deployment ID."
)
settings_edit_refused = Code(
    400,
    10214,
    "Script edit failed. You attempted to deploy the latest version with modified "
    "settings, but the latest version isn't currently deployed.",
    "changing settings while a newer version is not deployed yet.",
)
secret_edit_refused = Code(
    400,
    10215,
    "Secret edit failed. You attempted to modify a secret, but the latest version of "
    "your Worker isn't currently deployed.",
    "changing a secret while a newer version is not deployed yet.",
)
version_with_migration = Code(
    400,
    10211,
    "Version upload failed. You attempted to upload a version of a Worker that includes "
    "a Durable Object migration, but migrations must be fully applied via a "
    "non-versioned deployment.",
    "uploading a version with class migrations.",
    trace="cloudflare-docs #32982",
)


# Workflows, schedules, subdomains
workflow_not_found = Code(
    404,
    10200,
    "workflows.api.error.workflow.not_found",
    "an unknown Workflow name. The text was recorded by a project's live probes of the API; "
    "Miniflare's local API has the same code.",
)
workflow_class = Code(
    400,
    10201,
    "{message}",
    "a Workflow whose class is of another kind, or an instance of one whose class the script does "
    "not export. Code and text are our interpretation.",
)
invalid_workflow = Code(
    400,
    10002,
    "workflows.api.error.invalid_body: {message}",
    "a Workflow's request with an invalid property. Live probes of the API recorded 400 and code "
    "10002 for a body without `class_name`; the text is our interpretation.",
)
workflow_version_not_found = Code(
    404,
    10202,
    "workflows.api.error.version.not_found",
    "an unknown version of a Workflow. Code and text are our interpretation.",
)
instance_not_found = Code(
    404,
    10400,
    "workflows.api.error.instance.not_found",
    "an unknown Workflow instance. Miniflare's Workflows answer with the same code and text.",
)
instance_exists = Code(
    409,
    10405,
    "workflows.api.error.instance.already_exists",
    "an instance ID that the Workflow already uses. Code and text are those of Miniflare's "
    "Workflows; the status is our interpretation.",
)
instance_in_batch_twice = Code(
    400,
    10415,
    "workflows.api.error.instance.duplicate_in_batch",
    "an instance ID that a batch names twice. Code and text are those of Miniflare's Workflows.",
)
instance_refused = Code(
    400,
    10001,
    "workflows.api.error.{reason}",
    "a change that the instance's state does not allow. The reasons are those of Miniflare's "
    "Workflows; the code is our interpretation.",
)
# Public traces: workers-sdk issue 8923, and wrangler's log of a deploy with the expression in it.
invalid_cron = Code(
    400,
    10100,
    "invalid cron string: {cron}",
    "a schedule that is not a cron expression by Cloudflare's rules.",
)
duplicate_cron = Code(
    400, 10100, "duplicate cron found: {cron}", "a list of schedules that has an expression twice."
)
invalid_body = Code(400, 10001, "{message}", "a JSON body that the operation cannot accept.")
