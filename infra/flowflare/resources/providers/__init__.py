"""Provide the dynamic providers, for resources that Cloudflare's own provider does not have.

Every state stores this module's path and the classes' names, so neither ever changes. The classes
are defined in files of their own, which set this module as theirs. A provider is pickled as a
reference without attributes; token and base URL reach it through `configure`. `diff` reads only its
arguments and never raises. `check` refuses what is wrong with the inputs alone, because Pulumi
prints a traceback for any other error.
"""

from flowflare.kinds.api_key.apply import ApiKeyProvider
from flowflare.kinds.cron_cleanup.apply import CronCleanupProvider
from flowflare.kinds.d1_migrations.apply import D1MigrationsProvider
from flowflare.kinds.durable_object_migrations.apply import DurableObjectMigrationsProvider
from flowflare.kinds.script_assets.apply import ScriptAssetsProvider
from flowflare.kinds.script_bindings.apply import ScriptBindingsProvider
from flowflare.kinds.secret_value.apply import SecretValueProvider
from flowflare.kinds.workers_dev_url.apply import WorkersDevUrlProvider

__all__ = [
    "ApiKeyProvider",
    "CronCleanupProvider",
    "D1MigrationsProvider",
    "DurableObjectMigrationsProvider",
    "ScriptAssetsProvider",
    "ScriptBindingsProvider",
    "SecretValueProvider",
    "WorkersDevUrlProvider",
]
