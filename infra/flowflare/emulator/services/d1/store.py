"""Hold the rules of D1 databases: names are unique, IDs are never reused."""

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.database import Store

_JURISDICTIONS = {"eu", "fedramp", "us"}
_REGIONS = {"wnam", "enam", "weur", "eeur", "apac", "oc"}
_REPLICATION = {"auto", "disabled"}
_JSON_TYPES = {bool: "boolean", list: "array", str: "string"}
_MAX_NAME = 64
# Our reading of the pattern in Cloudflare's reference, which has no capital letters.
_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]*")


@dataclass(frozen=True)
class D1Database:
    """Describe a database as Cloudflare's API knows it."""

    account: str
    uuid: str
    name: str
    created_at: str
    region: str | None
    jurisdiction: str | None
    replication: str

    @property
    def served_by_region(self) -> str:
        """Return one of D1's regions: the one that was asked for, or any (our reading)."""
        default = "weur" if self.jurisdiction == "eu" else "enam"
        return (self.region or default).upper()


class D1Store(Store):
    """Store the databases of all accounts."""

    def create(self, account: str, request: dict[str, Any]) -> D1Database:
        """Create a database. Refusal: 7400 a property is invalid, 7502 the name already exists."""
        name, region = request.get("name"), request.get("primary_location_hint")
        jurisdiction = request.get("jurisdiction")
        if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
            raise codes.invalid_property("name: must be a string of 1 to 64 characters")
        if not _NAME.fullmatch(name):
            raise codes.invalid_property(f"name: must match ^{_NAME.pattern}$")
        replication = replication_mode(request) if "read_replication" in request else "disabled"
        if region is not None and region not in _REGIONS:
            raise codes.invalid_property(f"primary_location_hint: Invalid enum value: '{region}'")
        if jurisdiction is not None and jurisdiction not in _JURISDICTIONS:
            raise codes.invalid_property(f"jurisdiction: Invalid enum value: '{jurisdiction}'")
        database = D1Database(
            account, hyphened_id(), name, now(), region, jurisdiction, replication
        )
        try:
            self._database.insert("databases", *vars(database).values())
        except sqlite3.IntegrityError:
            raise codes.database_exists() from None
        return database

    def get(self, account: str, identity: str) -> D1Database:
        """Return the database with that ID or name. Refusal: 7404."""
        row = self._database.row(
            "SELECT * FROM databases WHERE account = ?1 AND (uuid = ?2 OR name = ?2) "
            "ORDER BY uuid = ?2 DESC",
            account,
            identity,
        )
        if row is None:
            raise codes.database_not_found()
        return D1Database(**row)

    def list_databases(self, account: str, name: str | None = None) -> list[D1Database]:
        """List the account's databases, newest first.

        `name` limits the list to databases whose name contains it.
        """
        rows = self._database.rows(
            "SELECT * FROM databases WHERE account = ? AND instr(name, ?) "
            "ORDER BY created_at DESC, rowid DESC",
            account,
            name or "",
        )
        return [D1Database(**row) for row in rows]

    def set_replication(self, account: str, identity: str, request: dict[str, Any]) -> D1Database:
        """Turn read replication on or off, as a request's `read_replication` says.

        Raises:
            Refusal: 7404, or 7400 the value is not an object with a known mode.
        """
        database = self.get(account, identity)
        mode = replication_mode(request)
        self._database.run(
            "UPDATE databases SET replication = ? WHERE uuid = ?", mode, database.uuid
        )
        return self.get(account, database.uuid)

    def delete(self, account: str, identity: str) -> D1Database:
        """Delete a database and return it. Refusal: 7404."""
        database = self.get(account, identity)
        self._database.delete("databases", uuid=database.uuid)
        return database


def replication_mode(request: dict[str, Any]) -> str:
    """Read the mode in a request's `read_replication`, which must be an object.

    Raises:
        Refusal: 7400; also for `null`, which Terraform's provider sends for a missing attribute
            (cloudflare/terraform-provider-cloudflare#6309).
    """
    given = request["read_replication"]
    if not isinstance(given, dict):
        received = "null" if given is None else _JSON_TYPES.get(type(given), "number")
        raise codes.invalid_property(f"read_replication: Expected object, received {received}")
    mode = given.get("mode")
    if not isinstance(mode, str) or mode not in _REPLICATION:
        raise codes.invalid_property(f"read_replication.mode: Invalid enum value: '{mode}'")
    return mode
