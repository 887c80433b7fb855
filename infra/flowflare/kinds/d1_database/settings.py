"""The keys of a client's D1 database in the configuration."""

from typing import Literal

from pydantic import Field

from flowflare.model.written import Folder, Physical, Written


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
    location_hint: Literal["wnam", "enam", "weur", "eeur", "apac", "oc"] | None = Field(
        alias="locationHint",
        default=None,
        description="The location for a new database; changing it replaces the database.",
    )
    jurisdiction: Literal["eu", "fedramp", "fedramp-high"] | None = Field(
        default=None,
        description="The jurisdiction of its data; changing it replaces the database.",
    )
