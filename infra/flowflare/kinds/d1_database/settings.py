"""The keys of a client's D1 database in the configuration."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from flowflare.errors import MigrationError
from flowflare.migrations.patterns import compile_pattern
from flowflare.migrations.schema import LEDGER_TABLES
from flowflare.model.written import Folder, Physical, Written, refusal


def _check_table(name: str) -> str:
    reserved = name.lower().startswith(("sqlite_", "_cf_")) or name.lower() == LEDGER_TABLES[1]
    if reserved or not name.isprintable() or not name.strip():
        message = f"is {name!r}, which cannot be the table of applied migrations"
        raise refusal(message, "For example: d1_migrations")
    return name


class DatabaseConfig(Written):
    """One D1 database of a client."""

    name: Physical | None = Field(
        default=None,
        description="The database's name in the account; by default "
        "`<tenant>-<environment>-flowflare-<client>-<binding>`.",
    )
    migrations: Folder | None = Field(
        default=None,
        description="The folder of its migrations, `0001_create_orders.sql` and so on, relative "
        "to the project's folder.",
    )
    migrations_pattern: str | None = Field(
        default=None,
        description="Which files are migrations, as in wrangler's `migrations_pattern`: "
        "`migrations/orders/*/migration.sql`. By default every `*.sql`, or if there is none, "
        "`*/migration.sql`.",
    )
    migrations_table: Annotated[str, AfterValidator(_check_table)] | None = Field(
        default=None,
        description="The table that records the applied migrations, as in wrangler's "
        "`migrations_table`; by default `d1_migrations`.",
    )
    location_hint: Literal["wnam", "enam", "weur", "eeur", "apac", "oc"] | None = Field(
        default=None,
        description="The location for a new database; changing it replaces the database.",
    )
    jurisdiction: Literal["eu", "fedramp", "fedramp-high"] | None = Field(
        default=None,
        description="The jurisdiction of its data; changing it replaces the database.",
    )

    @model_validator(mode="after")
    def _check_pattern(self) -> "DatabaseConfig":
        """Refuse a pattern outside of its folder, as wrangler does."""
        pattern, folder = self.migrations_pattern, (self.migrations or "").rstrip("/")
        if pattern is None:
            return self
        if not folder or not pattern.startswith(f"{folder}/"):
            remedy = f"For example: {folder or 'migrations'}/*/migration.sql"
            raise refusal("has a migrationsPattern that is not below its migrations", remedy)
        try:
            compile_pattern(pattern)
        except MigrationError as error:
            raise refusal(f"has a migrationsPattern: {error.message}", error.remedy or "") from None
        return self
