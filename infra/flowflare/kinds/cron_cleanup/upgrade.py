"""Add missing `CronCleanup` records to a state of an earlier version: pure functions on JSON.

The program declares a `CronCleanup` beside a Worker's cron triggers, and dropping both clears the
schedules. An earlier version stored only the triggers, and Cloudflare's plugin deletes those
without an API call, so the schedules would keep running. This module adds the missing records.
"""

from collections.abc import Mapping
from typing import Any, Final

from flowflare.kinds import cron_cleanup, workers_cron_trigger
from flowflare.kinds.contract import DYNAMIC
from flowflare.values.urns import child, name_of, parse, type_of

_SUFFIX: Final = "-crons"
#: The components whose cron triggers Flowflare declares; a program may declare others.
_COMPONENTS: Final = ("flowflare:index:Client", "flowflare:index:Service")
#: How Pulumi's SDK writes `flowflare.resources.providers.CronCleanupProvider` into state.
_PROVIDER: Final = (
    "gASVPAAAAAAAAACMHWZsb3dmbGFyZS5yZXNvdXJjZXMucHJvdmlkZXJzlIwTQ3JvbkNsZWFudXBQcm92aWRlcpSTlCmB"
    "lC4="
)

Json = dict[str, Any]


def add_cron_cleanups(deployment: Mapping[str, Any]) -> Json:
    """Add the missing records, each after the records that it depends on.

    Args:
        deployment: a deployment as the CLI exports it and backends store it; not modified.
    """
    missing = list_missing_cleanups(deployment)
    if not missing:
        return dict(deployment)
    return {**deployment, "resources": [*deployment["resources"], *missing]}


def list_missing_cleanups(deployment: Mapping[str, Any]) -> list[Json]:
    """List the missing records; none if no dynamic resource names their provider."""
    records = deployment.get("resources") or ()
    providers = [
        record["provider"]
        for record in records
        if record["type"].startswith(DYNAMIC) and record.get("provider")
    ]
    if not providers:
        return []
    known = {record["urn"] for record in records}
    made = [_make_cleanup(record, providers[-1]) for record in records if _is_ours(record)]
    return [record for record in made if record["urn"] not in known]


def _is_ours(record: Mapping[str, Any]) -> bool:
    inputs, parent = record.get("inputs") or {}, record.get("parent")
    return (
        record["type"] == workers_cron_trigger.KIND.type
        and not record.get("delete")
        and bool(inputs.get("schedules"))
        and all(isinstance(inputs.get(key), str) for key in ("accountId", "scriptName"))
        and name_of(record["urn"]).endswith(_SUFFIX)
        and bool(parent)
        and type_of(str(parent)) in _COMPONENTS
    )


def _make_cleanup(trigger: Mapping[str, Any], provider: str) -> Json:
    urn, inputs, parent = parse(trigger["urn"]), trigger["inputs"], str(trigger["parent"])
    account, script = inputs["accountId"], inputs["scriptName"]
    props = {"__provider": _PROVIDER, "account_id": account, "script_name": script}
    name = f"{urn.name.removesuffix(_SUFFIX)}-cron-cleanup"
    return {
        "urn": child(urn.stack, urn.project, parent, cron_cleanup.KIND.type, name),
        "custom": True,
        "id": f"{account}/{script}",
        "type": cron_cleanup.KIND.type,
        "inputs": props,
        "outputs": props,
        "parent": parent,
        "dependencies": list(trigger.get("dependencies") or ()),
        "provider": provider,
    }
