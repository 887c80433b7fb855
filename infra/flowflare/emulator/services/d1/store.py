"""The rules of D1 databases: names are unique, ids are never used again."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.database import Database

_JURISDICTIONS = {"eu", "fedramp", "us"}
_REGIONS = {"wnam", "enam", "weur", "eeur", "apac", "oc"}
_REPLICATION = {"auto", "disabled"}
_JSON_TYPES = {bool: "boolean", list: "array", str: "string"}
_LONGEST_NAME = 64


@dataclass(frozen=True)
class D1Database:
    """A database, as far as Cloudflare's API knows it."""

    account: str
    uuid: str
    name: str
    created_at: str
    region: str | None
    jurisdiction: str | None
    replication: str


class D1Store:
    """Databases of all accounts.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, account: str, asked: dict[str, Any]) -> D1Database:
        """Makes a database.

        Raises:
            Refusal: 7400 a property is wrong, 7502 the name is taken.
        """
        name, region = asked.get("name"), asked.get("primary_location_hint")
        jurisdiction = asked.get("jurisdiction")
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            raise codes.invalid_property("name: must be a string of 1 to 64 characters")
        replication = replication_mode(asked) if "read_replication" in asked else "disabled"
        if region is not None and region not in _REGIONS:
            raise codes.invalid_property(f"primary_location_hint: Invalid enum value: '{region}'")
        if jurisdiction is not None and jurisdiction not in _JURISDICTIONS:
            raise codes.invalid_property(f"jurisdiction: Invalid enum value: '{jurisdiction}'")
        made = D1Database(account, hyphened_id(), name, now(), region, jurisdiction, replication)
        try:
            self._database.run(
                "INSERT INTO databases VALUES (?, ?, ?, ?, ?, ?, ?)", *vars(made).values()
            )
        except sqlite3.IntegrityError:
            raise codes.database_exists() from None
        return made

    def get(self, account: str, identity: str) -> D1Database:
        """The database of that id or name.

        Raises:
            Refusal: 7404.
        """
        row = self._database.row(
            "SELECT * FROM databases WHERE account = ?1 AND (uuid = ?2 OR name = ?2) "
            "ORDER BY uuid = ?2 DESC",
            account,
            identity,
        )
        if row is None:
            raise codes.database_not_found()
        return D1Database(**row)

    def of(self, account: str, name: str | None = None) -> list[D1Database]:
        """The account's databases, newest first; with `name` those that have it in theirs."""
        rows = self._database.rows(
            "SELECT * FROM databases WHERE account = ? AND instr(name, ?) "
            "ORDER BY created_at DESC, rowid DESC",
            account,
            name or "",
        )
        return [D1Database(**row) for row in rows]

    def set_replication(self, account: str, identity: str, asked: dict[str, Any]) -> D1Database:
        """Turn read replication on or off, as `read_replication` of a request says.

        Raises:
            Refusal: 7404, or 7400 what is asked for is not an object with a known mode.
        """
        found = self.get(account, identity)
        mode = replication_mode(asked)
        self._database.run("UPDATE databases SET replication = ? WHERE uuid = ?", mode, found.uuid)
        return self.get(account, found.uuid)

    def delete(self, account: str, identity: str) -> D1Database:
        """Deletes a database and returns what it was.

        Raises:
            Refusal: 7404.
        """
        found = self.get(account, identity)
        self._database.run("DELETE FROM databases WHERE uuid = ?", found.uuid)
        return found


def replication_mode(asked: dict[str, Any]) -> str:
    """Read the mode in a request's `read_replication`, which must be an object.

    Raises:
        Refusal: 7400; `null` is refused as well, which Terraform's provider sends for an attribute
            that is left out (cloudflare/terraform-provider-cloudflare#6309).
    """
    given = asked["read_replication"]
    if not isinstance(given, dict):
        found = "null" if given is None else _JSON_TYPES.get(type(given), "number")
        raise codes.invalid_property(f"read_replication: Expected object, received {found}")
    mode = given.get("mode")
    if not isinstance(mode, str) or mode not in _REPLICATION:
        raise codes.invalid_property(f"read_replication.mode: Invalid enum value: '{mode}'")
    return mode
