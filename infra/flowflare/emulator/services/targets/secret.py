"""Describe secrets stores, and their secrets, which Workers are bound to by store and name."""

from typing import Any

from flowflare.emulator.envelope import Code
from flowflare.emulator.services.targets.target import Target, TargetKind

store_exists = Code(
    409,
    1002,
    "store_name_already_exists",
    "a secrets store name that the account already uses. It is our interpretation.",
)
store_missing = Code(
    404, 1001, "store_not_found", "an unknown secrets store ID. It is our interpretation."
)
store_not_empty = Code(
    409,
    1004,
    "store_not_empty",
    "deleting a secrets store with secrets, without `force`. The status is that of Cloudflare's "
    "reference; the rest is our interpretation.",
)
secret_exists = Code(
    409,
    1005,
    "secret_name_already_exists",
    "a secret's name that the store already uses. It is our interpretation.",
)
secret_missing = Code(
    404,
    1006,
    "secret_not_found",
    "an unknown secret of a secrets store. It is our interpretation.",
)
secret_in_binding = Code(
    400,
    10182,
    "Secrets Store binding '{binding}' references secret '{name}' which was not found",
    "a binding to an unknown store or secret. It is our interpretation.",
)
secret_not_for_workers = Code(
    400,
    10021,
    "failed to fetch secrets store binding due to authorization error - check deploy permissions "
    "and secret scopes",
    "a binding to a secret whose scopes do not include `workers`. The status, and that Cloudflare "
    "answers so for scopes and not only for the token's permissions, are our interpretation.",
    trace="cloudflare/workers-sdk #8964",
)


def _view_store(target: Target, _: object) -> dict[str, Any]:
    return {
        "id": target.id,
        "name": target.name,
        "account_id": target.account,
        "created": target.created_on,
        "modified": target.created_on,
    }


def _view_secret(target: Target, _: object) -> dict[str, Any]:
    record = target.record
    return {
        "id": target.id,
        "store_id": record["store"],
        "name": record["name"],
        "comment": record["comment"],
        "scopes": record["scopes"],
        "status": "active",
        "created": target.created_on,
        "modified": record["modified"],
    }


def _run(target: Target) -> dict[str, Any]:
    return {"kind": "secret", "key": target.record["name"], "value": target.record["value"]}


def _run_absent(bound: str) -> dict[str, Any]:
    """Return what a Worker with a deleted secret is run with: reading it fails, as in Miniflare."""
    return {"kind": "secret", "key": bound.partition("/")[2], "value": None}


STORE = TargetKind(
    name="secrets_store",
    words="secrets stores",
    path="/secrets_store/stores",
    binding="",
    bound_by="store_id",
    view=_view_store,
    exists=store_exists,
    missing=store_missing,
    unbound=store_missing,
)
SECRET = TargetKind(
    name="store_secret",
    words="secrets of secrets stores",
    path="/secrets_store/stores/{store}/secrets",
    binding="secrets_store_secret",
    bound_by="secret_name",
    read_bound=lambda binding: f"{binding.get('store_id')}/{binding.get('secret_name')}",
    bound_to="name",
    view=_view_secret,
    exists=secret_exists,
    missing=secret_missing,
    unbound=secret_in_binding,
    is_bindable=lambda record: "workers" in record.get("scopes", ()),
    not_bindable=secret_not_for_workers,
    run=_run,
    run_absent=_run_absent,
)
"""Its target's name has the store's ID in front, because names are unique in a store only."""
