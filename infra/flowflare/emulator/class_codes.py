"""List the API's errors about Durable Object classes, their migrations and their namespaces."""

from flowflare.emulator.envelope import Code

class_not_configured = Code(
    400,
    10061,
    "Cannot create binding for class '{name}' because it is not currently configured to "
    "implement Durable Objects. Ensure a --new-class migration has been applied to it.",
    "binding a class that no migration made a Durable Object.",
    trace="workers-sdk #10034",
)
class_not_exported = Code(
    400,
    10061,
    "Cannot create binding for class '{name}' that is not exported by the script",
    "binding a class that the script does not export.",
    trace="workers-sdk #1792",
)
class_in_no_script = Code(
    400,
    10061,
    "Cannot create binding for class '{name}' in script '{script}' that does not exist",
    "binding a class of an unknown script.",
)
deleted_class_is_bound = Code(
    400,
    10061,
    "Cannot apply --delete-class migration to class '{name}' without also removing the "
    "binding that references it.",
    "deleting a class that the same upload binds.",
    trace="workers-sdk #8203",
)
class_still_used = Code(
    403,
    10064,
    "New version of script does not export class '{name}' which is depended on by "
    "existing Durable Objects. If you want to delete the Durable Objects, try a "
    "delete-class migration.",
    "a new version that lacks a class which has Durable Objects.",
    trace="cloudflare/mcp-server-cloudflare #387",
)
new_class_not_exported = Code(
    400,
    10070,
    "Cannot apply {kind} migration to class '{name}' that is not exported by script",
    "a migration to a class that the script does not export.",
    trace="workers-sdk #4943",
)
class_exists = Code(
    400,
    10074,
    "Cannot apply {kind} migration to class '{name}' that is already depended on by "
    "existing Durable Objects",
    "a migration that creates a class which already exists.",
)
class_unknown = Code(
    400,
    10074,
    "Cannot apply {kind} migration to class '{name}' that was not exported by the "
    "previous version of the script",
    "migrating a class that the previous version did not have. The text is our interpretation.",
)
class_twice = Code(
    400,
    10074,
    "Class '{name}' cannot be the target of more than one migration",
    "a class in two directives of one migration.",
)
tag_mismatch = Code(
    412,
    10079,
    "Actor migration tag precondition failed, got tag '{given}' when expected tag is "
    "'{live}'. Please make sure the tags match and try again.",
    "class migrations that do not start at the live tag.",
)
needs_sqlite = Code(
    400,
    10097,
    "In order to use Durable Objects with a free plan, you must create a namespace using "
    "a `new_sqlite_classes` migration.",
    "a key-value class on a free account.",
    trace="workers-sdk #9909",
)
no_more_key_value = Code(
    400,
    10099,
    "Creating new key-value backed Durable Object namespaces is no longer supported on "
    "this account. Please create a namespace using a `new_sqlite_classes` migration instead.",
    "a key-value class on an account that cannot create more of them.",
    trace="raphaeltm/simple-agent-manager #1614",
)
namespace_not_found = Code(
    404, 10066, "Durable Object namespace not found.", "an unknown Durable Object namespace ID."
)
