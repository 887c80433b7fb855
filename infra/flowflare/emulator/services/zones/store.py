"""The rules of zones: every zone id is a zone, from the first route or custom domain on.

Like an account, a zone needs no preparation: one that nobody made gets its name from the first
hostname used with its id, and its account from the first script. From then on it is held to both.
Who wants another name than the last two labels (three below `co.uk` and its like) makes the zone
beforehand, by `POST /zones` or on the control surface.
"""

import re
from dataclasses import dataclass

from flowflare.emulator import target_codes as codes
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Database

_COUNTRY_SECOND = re.compile(r"(?:co|com|org|net|ac|gov|edu)\.[a-z]{2}")


@dataclass(frozen=True)
class Zone:
    """A zone; `account` is None until a script is known that answers in it."""

    id: str
    account: str | None
    name: str
    created_on: str

    def holds(self, hostname: str) -> bool:
        """Whether a hostname is the zone's name or below it."""
        return hostname == self.name or hostname.endswith(f".{self.name}")


class ZonesStore:
    """Zones of all accounts.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, name: str, account: str | None, identity: str | None = None) -> Zone:
        """Makes a zone, or gives the one of that id another name and account.

        Raises:
            Refusal: 1061, the account has one of that name.
        """
        zone = Zone(identity or plain_id(), account, name, now())
        taken = self.named(name, account)
        if taken is not None and taken.id != zone.id:
            raise codes.zone_exists(name)
        self._database.run(
            "INSERT INTO zones VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET account = excluded.account, name = excluded.name",
            *vars(zone).values(),
        )
        return self.get(zone.id)

    def get(self, identity: str) -> Zone:
        """The zone of that id.

        Raises:
            Refusal: 1001, nobody made it or used it.
        """
        row = self._database.row("SELECT * FROM zones WHERE id = ?", identity)
        if row is None:
            raise codes.zone_not_found()
        return Zone(*row)

    def used(self, identity: str, hostname: str, account: str | None) -> Zone:
        """The zone of that id; one that nobody made is made of what it is used for.

        Args:
            identity: the zone's id.
            hostname: a hostname in it.
            account: the account of the script that answers, where there is one.
        """
        row = self._database.row("SELECT * FROM zones WHERE id = ?", identity)
        if row is None:
            return self.make(_name_of(hostname), account, identity)
        if row["account"] is None and account is not None:
            self._database.run("UPDATE zones SET account = ? WHERE id = ?", account, identity)
        return self.get(identity)

    def named(self, name: str, account: str | None) -> Zone | None:
        """The account's zone of that name."""
        row = self._database.row(
            "SELECT * FROM zones WHERE name = ? AND account IS ?", name, account
        )
        return Zone(*row) if row else None

    def of(self, account: str | None = None, name: str | None = None) -> list[Zone]:
        """Zones by name; all, those of one account, or those of one name."""
        zones = [Zone(*row) for row in self._database.rows("SELECT * FROM zones ORDER BY name, id")]
        return [
            each for each in zones if account in {None, each.account} and name in {None, each.name}
        ]

    def delete(self, identity: str) -> Zone:
        """Deletes a zone with its routes and custom domains, and returns what it was.

        Raises:
            Refusal: 1001.
        """
        found = self.get(identity)
        self._database.run("DELETE FROM zones WHERE id = ?", identity)
        return found


def _name_of(hostname: str) -> str:
    """The domain name that somebody could have registered, of which a hostname is a part."""
    labels = hostname.split(".")
    count = 3 if _COUNTRY_SECOND.fullmatch(".".join(labels[-2:])) else 2
    return ".".join(labels[-count:])
