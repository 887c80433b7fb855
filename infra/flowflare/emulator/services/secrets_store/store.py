"""Hold the rules of secrets stores: names, scopes and sizes of secrets."""

import re
from collections.abc import Mapping
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import now
from flowflare.emulator.services.targets.secret import SECRET, STORE, store_not_empty
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.targets.target import Target, pop_name

_NAME = re.compile(r"\S+")
_SCOPES = ("workers", "ai_gateway", "dex", "access", "containers", "websearch")
_LARGEST_VALUE = 65_536


class SecretStores:
    """Create, change and delete stores and their secrets.

    Args:
        targets: stores them like other targets of bindings.
    """

    def __init__(self, targets: TargetsStore) -> None:
        self._targets = targets

    def create_store(self, account: str, asked: dict[str, Any]) -> Target:
        """Create a store. Refusal: 1002, the account has one of that name."""
        return self._targets.create(account, STORE, pop_name(asked, "name"), {})

    def list_stores(self, account: str) -> list[Target]:
        """List the stores of an account, by name."""
        return self._targets.list_targets(account, STORE)

    def get_store(self, account: str, store: str) -> Target:
        """Return a store. Refusal: 1001, it does not exist."""
        return self._targets.get(account, STORE, store)

    def delete_store(self, account: str, store: str, *, force: bool) -> None:
        """Delete a store, with `force` also its secrets. Refusal: 1001 or 1004."""
        secrets = self.list_secrets(account, store)
        if secrets and not force:
            raise store_not_empty()
        for secret in secrets:
            self._targets.delete(account, SECRET, secret.id)
        self._targets.delete(account, STORE, store)

    def list_secrets(self, account: str, store: str) -> list[Target]:
        """List the secrets of a store, by name. Refusal: 1001."""
        self.get_store(account, store)
        secrets = self._targets.list_targets(account, SECRET)
        return [secret for secret in secrets if secret.record.get("store") == store]

    def get_secret(self, account: str, store: str, secret: str) -> Target:
        """Return a secret. Refusal: 1001, or 1006 the store does not have it."""
        self.get_store(account, store)
        found = self._targets.get(account, SECRET, secret)
        if found.record.get("store") != store:
            raise SECRET.missing()
        return found

    def create_secret(self, account: str, store: str, asked: Any) -> Target:
        """Create a secret. Refusal: 1001, 1005 the name exists, or 10001 a property is invalid."""
        self.get_store(account, store)
        if not isinstance(asked, dict):
            raise codes.invalid_body("A secret must be an object.")
        name, value = asked.get("name"), asked.get("value")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise codes.invalid_body("`name` must be a name without spaces.")
        record = {
            "store": store,
            "name": name,
            "value": _check_value(value),
            "comment": _check_comment(asked.get("comment")),
            "scopes": _check_scopes(asked.get("scopes")),
            "modified": now(),
        }
        return self._targets.create(account, SECRET, f"{store}/{name}", record)

    def edit_secret(self, account: str, store: str, secret: str, asked: dict[str, Any]) -> Target:
        """Change the value, comment or scopes of a secret. Refusal: 1001, 1006 or 10001."""
        found = self.get_secret(account, store, secret)
        checks = {"value": _check_value, "comment": _check_comment, "scopes": _check_scopes}
        changes = {
            name: check(asked[name])
            for name, check in checks.items()
            if asked.get(name) is not None
        }
        record: Mapping[str, Any] = {**found.record, **changes, "modified": now()}
        return self._targets.update(account, SECRET, secret, lambda _: (found.name, record))

    def duplicate_secret(
        self, account: str, store: str, secret: str, asked: dict[str, Any]
    ) -> Target:
        """Create a secret with the value of another. Refusal: as for `create_secret`, or 1006."""
        found = self.get_secret(account, store, secret)
        return self.create_secret(account, store, {**asked, "value": found.record["value"]})

    def delete_secret(self, account: str, store: str, secret: str) -> None:
        """Delete a secret. Refusal: 1001 or 1006."""
        self.get_secret(account, store, secret)
        self._targets.delete(account, SECRET, secret)


def _check_value(value: Any) -> str:
    """Return a value; Cloudflare's reference says at most 64 KiB."""
    if not isinstance(value, str) or not value or len(value.encode()) > _LARGEST_VALUE:
        raise codes.invalid_body(f"`value` must be a text of 1 to {_LARGEST_VALUE} bytes.")
    return value


def _check_comment(comment: Any) -> str:
    if comment is not None and not isinstance(comment, str):
        raise codes.invalid_body("`comment` must be a text.")
    return comment or ""


def _check_scopes(scopes: Any) -> list[str]:
    if (
        not isinstance(scopes, list)
        or not scopes
        or not all(isinstance(scope, str) and scope in _SCOPES for scope in scopes)
    ):
        raise codes.invalid_body(f"`scopes` must be a list of {', '.join(_SCOPES)}.")
    return scopes
