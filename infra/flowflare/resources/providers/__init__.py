"""The dynamic providers: what Cloudflare's own provider does not have.

Every state stores this module's path and the classes' names, so neither ever changes; the classes
lie in files of their own and name this module as theirs. A provider is pickled as a reference
without attributes; token and base URL reach it through `configure`. `diff` looks at nothing but
its arguments and never raises; `check` refuses what inputs alone show to be wrong, because Pulumi
prints a traceback for any other error.
"""

from flowflare.resources.providers.api_key import ApiKeyProvider
from flowflare.resources.providers.cron_cleanup import CronCleanupProvider
from flowflare.resources.providers.d1_migrations import D1MigrationsProvider
from flowflare.resources.providers.durable_object_migrations import DurableObjectMigrationsProvider
from flowflare.resources.providers.script_bindings import ScriptBindingsProvider
from flowflare.resources.providers.secret_value import SecretValueProvider
from flowflare.resources.providers.workers_dev_url import WorkersDevUrlProvider

__all__ = [
    "ApiKeyProvider",
    "CronCleanupProvider",
    "D1MigrationsProvider",
    "DurableObjectMigrationsProvider",
    "ScriptBindingsProvider",
    "SecretValueProvider",
    "WorkersDevUrlProvider",
]
