"""The list of all kinds. Other code iterates this list, and does not name types."""

from collections.abc import Mapping
from typing import Final

from flowflare.kinds import (
    api_key,
    cron_cleanup,
    d1_database,
    d1_migrations,
    durable_object_migrations,
    hyperdrive_config,
    queue,
    queue_consumer,
    r2_bucket,
    script_assets,
    script_bindings,
    secret_value,
    workers_cron_trigger,
    workers_custom_domain,
    workers_dev_url,
    workers_kv_namespace,
    workers_route,
    workers_script,
    workers_script_subdomain,
    workflow,
)
from flowflare.kinds.contract import Kind

#: Scripts come first: drift reads the account in this order.
KINDS: Final[tuple[Kind, ...]] = (
    workers_script.KIND,
    workers_cron_trigger.KIND,
    cron_cleanup.KIND,
    workers_script_subdomain.KIND,
    workers_dev_url.KIND,
    workers_route.KIND,
    workers_custom_domain.KIND,
    workflow.KIND,
    durable_object_migrations.KIND,
    script_bindings.KIND,
    script_assets.KIND,
    d1_database.KIND,
    d1_migrations.KIND,
    workers_kv_namespace.KIND,
    r2_bucket.KIND,
    queue.KIND,
    queue_consumer.KIND,
    hyperdrive_config.KIND,
    api_key.KIND,
    secret_value.KIND,
)
_BY_TYPE: Final[Mapping[str, Kind]] = {kind.type: kind for kind in KINDS}


def find_kind(type_: str) -> Kind | None:
    """Find the kind of a type; None for a type that this package does not know."""
    return _BY_TYPE.get(type_)


def list_own() -> Mapping[str, Kind]:
    """List the kinds that a client's binding can create, by their key in the configuration."""
    return {kind.own.key: kind for kind in KINDS if kind.own is not None}
