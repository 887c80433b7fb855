"""The SQL files that are applied to a D1 database."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:D1Migrations",
    folder=__name__,
    apply="D1MigrationsProvider",
    risk="assess",
    calls="count_calls",
    drift="compare",
    adopt="find",
    settings=NotSupported("The key `migrations` of a database names its folder."),
    declare="D1Migrations",
    is_adopted_unchecked=True,
    details="flowflare.kinds.d1_migrations.plan:describe",
    has_pure_check=True,
)
