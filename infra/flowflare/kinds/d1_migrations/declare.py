"""Register the SQL files of a D1 database."""

from collections.abc import Sequence

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.d1_migrations.apply import D1MigrationsProvider
from flowflare.migrations.files import Migration


class D1Migrations(Resource, module="flowflare", name="D1Migrations"):
    """The migrations of a D1 database, applied in order and recorded in its ledger."""

    def __init__(
        self,
        name: str,
        *,
        account_id: pulumi.Input[str],
        database_id: pulumi.Input[str],
        migrations: Sequence[Migration],
        table: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "account_id": account_id,
            "database_id": database_id,
            "migrations": [{"name": file.name, "sql": file.sql} for file in migrations],
            "applied": None,
        }
        if table is not None:
            props["table"] = table
        super().__init__(D1MigrationsProvider(), name, props, opts)
