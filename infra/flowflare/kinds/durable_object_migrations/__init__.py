"""The history of a script's Durable Object classes."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:DurableObjectMigrations",
    folder=__name__,
    apply="DurableObjectMigrationsProvider",
    risk="assess",
    calls="count_calls",
    drift="compare",
    adopt="find",
    settings="ClassMigrationConfig",
    declare="DurableObjectMigrations",
    details="flowflare.kinds.durable_object_migrations.plan:describe",
    told_by_the_script=("content", "files", "bindings", "compatibility", "main_module"),
    has_pure_check=True,
    holds_data=True,
    wrangler="write",
)
