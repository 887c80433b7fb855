"""Hold the rules of zones: every zone ID is a zone from its first route or custom domain.

Like an account, a zone needs no preparation. It gets its name from the first hostname used with its
ID, and its account from the first script. Both are fixed from then on. The name is the last two
labels (three below `co.uk` and similar). To use another name, create the zone first, with `POST
/zones` or the control API.
"""

import re
from dataclasses import dataclass

from flowflare.emulator import routing_codes as codes
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Store

_COUNTRY_SECOND = re.compile(r"(?:co|com|org|net|ac|gov|edu)\.[a-z]{2}")


@dataclass(frozen=True)
class Zone:
    """Describe a zone; `account` is None until a script answers in it."""

    id: str
    account: str | None
    name: str
    created_on: str

    def contains(self, hostname: str) -> bool:
        """Return whether a hostname is the zone's name or below it."""
        return hostname == self.name or hostname.endswith(f".{self.name}")


class ZonesStore(Store):
    """Store the zones of all accounts."""

    def create(self, name: str, account: str | None, identity: str | None = None) -> Zone:
        """Create a zone, or change the name and account of the zone with that ID.

        Raises:
            Refusal: 1061, the account has another zone of that name.
        """
        zone = Zone(identity or plain_id(), account, name, now())
        same_name = self.find_by_name(name, account)
        if same_name is not None and same_name.id != zone.id:
            raise codes.zone_exists(name)
        self._database.run(
            "INSERT INTO zones VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET account = excluded.account, name = excluded.name",
            *vars(zone).values(),
        )
        return self.get(zone.id)

    def get(self, identity: str) -> Zone:
        """Return the zone with that ID. Refusal: 1001, the zone was neither created nor used."""
        for row in self._database.select("zones", id=identity):
            return Zone(*row)
        raise codes.zone_not_found()

    def ensure(self, identity: str, hostname: str, account: str | None) -> Zone:
        """Return the zone with that ID, and create it from its first use if necessary.

        Args:
            account: the account of the script that answers, if a script does.
        """
        row = self._database.row("SELECT * FROM zones WHERE id = ?", identity)
        if row is None:
            return self.create(_name_of(hostname), account, identity)
        if row["account"] is None and account is not None:
            self._database.run("UPDATE zones SET account = ? WHERE id = ?", account, identity)
        return self.get(identity)

    def find_by_name(self, name: str, account: str | None) -> Zone | None:
        """Return the account's zone of that name, or None."""
        rows = self._database.select("zones", name=name, account=account)
        return Zone(*rows[0]) if rows else None

    def list_zones(self, account: str | None = None, name: str | None = None) -> list[Zone]:
        """List zones by name; all, those of one account, or those of one name."""
        zones = [Zone(*row) for row in self._database.select("zones", "name, id")]
        return [
            zone for zone in zones if account in {None, zone.account} and name in {None, zone.name}
        ]

    def delete(self, identity: str) -> Zone:
        """Delete a zone with its routes and custom domains, and return it. Refusal: 1001."""
        zone = self.get(identity)
        self._database.delete("zones", id=identity)
        return zone


def _name_of(hostname: str) -> str:
    """Return the registrable domain name that a hostname belongs to."""
    labels = hostname.split(".")
    count = 3 if _COUNTRY_SECOND.fullmatch(".".join(labels[-2:])) else 2
    return ".".join(labels[-count:])
