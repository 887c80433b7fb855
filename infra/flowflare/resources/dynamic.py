"""Declare the dynamic resources, which `providers.py` serves.

Property names are snake_case on both sides: a dynamic resource does not translate names.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.secret_value.apply import PREVIEW_INPUT, ROOT_INPUT
from flowflare.migrations.files import Migration
from flowflare.model import secret_sources
from flowflare.model.class_migrations import ClassMigration, to_wire
from flowflare.resources.providers import (
    ApiKeyProvider,
    CronCleanupProvider,
    D1MigrationsProvider,
    DurableObjectMigrationsProvider,
    ScriptBindingsProvider,
    SecretValueProvider,
    WorkersDevUrlProvider,
)


class ApiKey(Resource, module="flowflare", name="ApiKey"):
    """A stack's API key, generated once.

    Args:
        name: the resource's name.
        environment_name: the environment that the key names.
        opts: Pulumi's options.

    Attributes:
        key_id: the part of the key that is not secret.
        api_key: the key, a secret.
    """

    key_id: pulumi.Output[str]
    api_key: pulumi.Output[str]

    def __init__(
        self, name: str, *, environment_name: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"environment_name": environment_name, "key_id": None, "api_key": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["api_key"])
        opts = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(ApiKeyProvider(), name, props, opts)


class CronCleanup(Resource, module="flowflare", name="CronCleanup"):
    """Clears the cron triggers of a Worker when the resource is deleted.

    Args:
        name: the resource's name.
        account_id: the account.
        script_name: the script.
        opts: Pulumi's options.
    """

    def __init__(
        self,
        name: str,
        *,
        account_id: pulumi.Input[str],
        script_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"account_id": account_id, "script_name": script_name}
        super().__init__(CronCleanupProvider(), name, props, opts)


class D1Migrations(Resource, module="flowflare", name="D1Migrations"):
    """The migrations of a D1 database, applied in order and recorded in its ledger.

    Args:
        name: the resource's name.
        account_id: the account.
        database_id: the database.
        migrations: the files, in order.
        opts: Pulumi's options.
    """

    def __init__(
        self,
        name: str,
        *,
        account_id: pulumi.Input[str],
        database_id: pulumi.Input[str],
        migrations: Sequence[Migration],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "account_id": account_id,
            "database_id": database_id,
            "migrations": [{"name": file.name, "sql": file.sql} for file in migrations],
            "applied": None,
        }
        super().__init__(D1MigrationsProvider(), name, props, opts)


class DurableObjectMigrations(Resource, module="flowflare", name="DurableObjectMigrations"):
    """The class migrations of a script, which is uploaded when one is missing.

    Args:
        name: the resource's name.
        script: account, script name, module and compatibility, as an upload needs them; and
            `allow_data_loss`, why classes may be deleted or moved, None if they may not.
        database_id: the database that the script binds.
        bindings: what the script binds before its clients exist, in the API's form.
        history: all class migrations, oldest first.
        opts: Pulumi's options.

    Attributes:
        migration_tag: the tag of the last class migration, which is live.
    """

    migration_tag: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        script: Mapping[str, Any],
        database_id: pulumi.Input[str],
        bindings: Sequence[Mapping[str, Any]],
        history: Sequence[ClassMigration],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **script,
            "database_id": database_id,
            "bindings": list(bindings),
            "history": to_wire(history),
            "migration_tag": None,
        }
        super().__init__(DurableObjectMigrationsProvider(), name, props, opts)


class ScriptBindings(Resource, module="flowflare", name="ScriptBindings"):
    """Bindings that Cloudflare's own provider does not support; the script inherits them.

    Args:
        name: the resource's name.
        script: account, script name, module and compatibility, as an upload needs them.
        bindings: the bindings in the API's form, without secrets.
        opts: Pulumi's options.
    """

    def __init__(
        self,
        name: str,
        *,
        script: Mapping[str, Any],
        bindings: Sequence[Mapping[str, Any]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**script, "bindings": list(bindings)}
        super().__init__(ScriptBindingsProvider(), name, props, opts)


class SecretValue(Resource, module="flowflare", name="SecretValue"):
    """A secret value from a source, fetched again when the source changes.

    Args:
        name: the resource's name.
        secret_name: the secret's name in its Worker.
        source: the source of the value.
        fingerprint_key: the key for its fingerprints, a secret; None for a generated value, which
            changes only with its generation.
        root: the folder that a file's relative path starts from.
        opts: Pulumi's options.

    Attributes:
        value: the value, a secret.
        fingerprint: distinguishes the value from others.
        changed_at: when the value was fetched or generated, RFC 3339.
    """

    value: pulumi.Output[str]
    fingerprint: pulumi.Output[str | None]
    changed_at: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        secret_name: str,
        source: secret_sources.SecretSource,
        fingerprint_key: pulumi.Input[str] | None = None,
        root: Path | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        value, key = None, None
        if isinstance(source, secret_sources.ConfigSource):
            value = pulumi.Output.secret(source.value.get_secret_value())
        if fingerprint_key is not None:
            key = pulumi.Output.secret(fingerprint_key)
        props = {
            "secret_name": secret_name,
            "source": secret_sources.to_wire(source),
            "value": value,
            "fingerprint_key": key,
            "fingerprint": None,
            "version": None,
            "changed_at": None,
            ROOT_INPUT: str(root) if root else None,
            PREVIEW_INPUT: True if pulumi.runtime.is_dry_run() else None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["value", "fingerprint_key"])
        opts = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(SecretValueProvider(), name, props, opts)


class WorkersDevUrl(Resource, module="flowflare", name="WorkersDevUrl"):
    """The URL at workers.dev of a script whose subdomain is enabled.

    Args:
        name: the resource's name.
        account_id: the account.
        script_name: the script.
        opts: Pulumi's options.

    Attributes:
        url: the URL, without a trailing slash.
    """

    url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        account_id: pulumi.Input[str],
        script_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"account_id": account_id, "script_name": script_name, "url": None}
        super().__init__(WorkersDevUrlProvider(), name, props, opts)
