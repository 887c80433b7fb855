"""The rules of routes and custom domains, and whose a request is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes, target_codes
from flowflare.emulator.clock import hyphened_id, plain_id
from flowflare.emulator.database import Database
from flowflare.emulator.services.routing.patterns import Pattern, read_pattern
from flowflare.emulator.services.zones.store import ZonesStore


@dataclass(frozen=True)
class Route:
    """A route; without a script the pattern is nobody's."""

    id: str
    zone: str
    pattern: str
    account: str | None
    script: str | None


@dataclass(frozen=True)
class Domain:
    """A custom domain."""

    id: str
    account: str
    hostname: str
    script: str
    environment: str
    zone: str
    certificate: str


class RoutingStore:
    """Routes of all zones and custom domains of all accounts.

    Args:
        database: the emulator's file.
        zones: whose they are.
    """

    def __init__(self, database: Database, zones: ZonesStore) -> None:
        self._database = database
        self._zones = zones

    # Routes ---------------------------------------------------------------------------------------

    def put_route(
        self, zone: str, pattern: object, script: str | None, identity: str | None = None
    ) -> Route:
        """Makes a route or changes one.

        Raises:
            Refusal: 10009 no such route, 10022 no pattern of the zone, 10007 no such script, 10020
                another route has the pattern.
        """
        with self._database.transaction():
            if identity:
                self.route(zone, identity)
            account = self._account(zone, script) if script else None
            return self._put(zone, pattern, account, script, identity)

    def replace_routes(
        self, account: str, script: str, wanted: Sequence[Mapping[str, Any]]
    ) -> list[Route]:
        """Makes these a script's routes and removes its others, all or nothing.

        Args:
            account: the account.
            script: the script's name.
            wanted: `pattern` with `zone_id`, with `zone_name`, or alone where the account has the
                zone.

        Raises:
            Refusal: as for `put_route`, or 1001 no such zone.
        """
        with self._database.transaction():
            if not self._has(account, script):
                raise codes.script_not_found()
            self._database.run(
                "DELETE FROM routes WHERE account = ? AND script = ?", account, script
            )
            return [
                self._put(self._zone_of(account, each), each.get("pattern"), account, script)
                for each in wanted
            ]

    def _put(
        self,
        zone: str,
        pattern: object,
        account: str | None,
        script: str | None,
        identity: str | None = None,
    ) -> Route:
        read = read_pattern(pattern) if isinstance(pattern, str) else None
        if read is None or not isinstance(pattern, str):
            raise target_codes.route_unreadable(str(pattern or ""))
        found = self._zones.used(zone, read.hostname, account)
        if not found.holds(read.hostname):
            raise target_codes.route_outside_zone(found.name)
        taken = [each for each in self.routes(zone) if each.pattern == pattern]
        if taken and taken[0].id != identity:
            raise target_codes.route_exists()
        made = Route(identity or plain_id(), zone, pattern, account, script)
        self._database.run(
            "INSERT OR REPLACE INTO routes VALUES (?, ?, ?, ?, ?)", *vars(made).values()
        )
        return made

    def _zone_of(self, account: str, asked: Mapping[str, Any]) -> str:
        """The zone that a route of wrangler's names, or that its pattern is in."""
        if asked.get("zone_id"):
            return str(asked["zone_id"])
        read = read_pattern(str(asked.get("pattern")))
        for zone in self._zones.of(account):
            named = asked.get("zone_name")
            if zone.name == named or (not named and read and zone.holds(read.hostname)):
                return zone.id
        raise target_codes.zone_not_found()

    def route(self, zone: str, identity: str) -> Route:
        """The zone's route of that id.

        Raises:
            Refusal: 10009.
        """
        row = self._database.row("SELECT * FROM routes WHERE zone = ? AND id = ?", zone, identity)
        if row is None:
            raise target_codes.route_not_found()
        return Route(*row)

    def routes(self, zone: str) -> list[Route]:
        """The zone's routes, by pattern."""
        rows = self._database.rows("SELECT * FROM routes WHERE zone = ? ORDER BY pattern", zone)
        return [Route(*row) for row in rows]

    def delete_route(self, zone: str, identity: str) -> Route:
        """Deletes a route and returns what it was.

        Raises:
            Refusal: 10009.
        """
        found = self.route(zone, identity)
        self._database.run("DELETE FROM routes WHERE id = ?", identity)
        return found

    # Custom domains -------------------------------------------------------------------------------

    def put_domain(self, account: str, asked: Mapping[str, Any]) -> Domain:
        """Gives a hostname to a script, whoever had it.

        Raises:
            Refusal: 10007 no such script, 100115 a hostname outside the zone, 10001 no zone given.
        """
        with self._database.transaction():
            return self._give(account, asked)

    def replace_domains(
        self, account: str, script: str, wanted: Sequence[Mapping[str, Any]]
    ) -> list[Domain]:
        """Makes these a script's custom domains and removes its others, all or nothing.

        Raises:
            Refusal: as for `put_domain`.
        """
        with self._database.transaction():
            made = [self._give(account, {**each, "service": script}) for each in wanted]
            kept = {each.id for each in made}
            for each in self.domains(account):
                if each.script == script and each.id not in kept:
                    self.delete_domain(account, each.id)
            return made

    def _give(self, account: str, asked: Mapping[str, Any]) -> Domain:
        hostname, script = str(asked["hostname"]).lower(), str(asked["service"])
        if not self._has(account, script):
            raise codes.script_not_found()
        zone = self._zone_for(account, hostname, asked)
        before = [each for each in self.domains(account) if each.hostname == hostname]
        made = Domain(
            id=before[0].id if before else plain_id(),
            account=account,
            hostname=hostname,
            script=script,
            environment=str(asked.get("environment") or "production"),
            zone=zone,
            certificate=before[0].certificate if before else hyphened_id(),
        )
        self._database.run(
            "INSERT OR REPLACE INTO domains VALUES (?, ?, ?, ?, ?, ?, ?)", *vars(made).values()
        )
        return made

    def domain(self, account: str, identity: str) -> Domain:
        """The account's custom domain of that id.

        Raises:
            Refusal: 100114.
        """
        row = self._database.row(
            "SELECT * FROM domains WHERE account = ? AND id = ?", account, identity
        )
        if row is None:
            raise target_codes.domain_not_found()
        return Domain(*row)

    def domains(self, account: str) -> list[Domain]:
        """The account's custom domains, by hostname."""
        rows = self._database.rows(
            "SELECT * FROM domains WHERE account = ? ORDER BY hostname", account
        )
        return [Domain(*row) for row in rows]

    def delete_domain(self, account: str, identity: str) -> None:
        """Takes a hostname away from its script.

        Raises:
            Refusal: 100114.
        """
        self.domain(account, identity)
        self._database.run("DELETE FROM domains WHERE id = ?", identity)

    # Requests -------------------------------------------------------------------------------------

    def patterns(self, account: str, script: str) -> list[Pattern]:
        """What a script answers: its routes and its custom domains."""
        where = "WHERE account = ? AND script = ?"
        routes = self._database.rows(f"SELECT pattern FROM routes {where}", account, script)  # noqa: S608
        hosts = self._database.rows(f"SELECT hostname FROM domains {where}", account, script)  # noqa: S608
        read = [read_pattern(row["pattern"]) for row in routes]
        return [
            *(each for each in read if each is not None),
            *(Pattern(row["hostname"], "/*") for row in hosts),
        ]

    def find(self, host: str, path: str) -> tuple[str, str] | None:
        """Whose a request is: account and script, None for nobody's.

        The most specific route decides, a custom domain where no route matches.

        Args:
            host: the hostname, without a port.
            path: the path with its query.
        """
        routes = [Route(*row) for row in self._database.rows("SELECT * FROM routes")]
        matching = [
            (pattern.weight, each)
            for each in routes
            if (pattern := read_pattern(each.pattern)) and pattern.matches(host, path)
        ]
        if matching:
            _, route = max(matching, key=lambda one: one[0])
            return (route.account, route.script) if route.account and route.script else None
        row = self._database.row("SELECT * FROM domains WHERE hostname = ?", host.lower())
        return (row["account"], row["script"]) if row else None

    def _account(self, zone: str, script: str) -> str:
        """The account whose script is meant: the zone's, else the one that uploaded it last."""
        known = self._database.row("SELECT account FROM zones WHERE id = ?", zone)
        if known is not None and known["account"] is not None:
            account = str(known["account"])
            if self._has(account, script):
                return account
            raise codes.script_not_found()
        row = self._database.row(
            "SELECT account FROM scripts WHERE name = ? "
            "ORDER BY record ->> 'modified_on' DESC LIMIT 1",
            script,
        )
        if row is None:
            raise codes.script_not_found()
        return str(row["account"])

    def _has(self, account: str, script: str) -> bool:
        found = self._database.row(
            "SELECT 1 FROM scripts WHERE account = ? AND name = ?", account, script
        )
        return found is not None

    def _zone_for(self, account: str, hostname: str, asked: Mapping[str, Any]) -> str:
        given, name = asked.get("zone_id"), asked.get("zone_name")
        if given:
            zone = self._zones.used(str(given), hostname, account)
            if zone.account == account and zone.holds(hostname):
                return zone.id
            raise target_codes.domain_outside_zone(hostname, zone.name)
        for zone in self._zones.of(account):
            if zone.holds(hostname) and name in {None, zone.name}:
                return zone.id
        raise target_codes.domain_outside_zone(hostname, str(name or "any of the account"))
