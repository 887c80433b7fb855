"""Hold the rules of routes and custom domains, and find the script of a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes, routing_codes
from flowflare.emulator.clock import hyphened_id, plain_id
from flowflare.emulator.database import Database, Store
from flowflare.emulator.services.routing.patterns import Pattern, read_pattern
from flowflare.emulator.services.zones.store import ZonesStore


@dataclass(frozen=True)
class Route:
    """Describe a route. Without a script, the pattern excludes requests from all scripts."""

    id: str
    zone: str
    pattern: str
    account: str | None
    script: str | None


@dataclass(frozen=True)
class Domain:
    """Describe a custom domain."""

    id: str
    account: str
    hostname: str
    script: str
    environment: str
    zone: str
    certificate: str


class RoutingStore(Store):
    """Store the routes of all zones and the custom domains of all accounts."""

    def __init__(self, database: Database, zones: ZonesStore) -> None:
        super().__init__(database)
        self._zones = zones

    # Routes ---------------------------------------------------------------------------------------

    def put_route(
        self, zone: str, pattern: object, script: str | None, identity: str | None = None
    ) -> Route:
        """Create or change a route.

        Raises:
            Refusal: 10009 unknown route, 10022 not a pattern of the zone, 10007 unknown script,
                10020 another route has the pattern.
        """
        with self._database.transaction():
            if identity:
                self.route(zone, identity)
            account = self._account(zone, script) if script else None
            return self._put(zone, pattern, account, script, identity)

    def replace_routes(
        self, account: str, script: str, wanted: Sequence[Mapping[str, Any]]
    ) -> list[Route]:
        """Replace all routes of a script, in one transaction.

        Args:
            wanted: `pattern` with `zone_id`, with `zone_name`, or alone if the zone is the
                account's.

        Raises:
            Refusal: as for `put_route`, or 1001 unknown zone.
        """
        with self._database.transaction():
            if not self._has(account, script):
                raise codes.script_not_found()
            self._database.delete("routes", account=account, script=script)
            return [
                self._put(self._zone_of(account, route), route.get("pattern"), account, script)
                for route in wanted
            ]

    def _put(
        self,
        zone: str,
        pattern: object,
        account: str | None,
        script: str | None,
        identity: str | None = None,
    ) -> Route:
        parsed = read_pattern(pattern) if isinstance(pattern, str) else None
        if parsed is None or not isinstance(pattern, str):
            raise routing_codes.route_unreadable(str(pattern or ""))
        owner = self._zones.ensure(zone, parsed.hostname, account)
        if not owner.contains(parsed.hostname):
            raise routing_codes.route_outside_zone(owner.name)
        same_pattern = [route for route in self.routes(zone) if route.pattern == pattern]
        if same_pattern and same_pattern[0].id != identity:
            raise routing_codes.route_exists()
        created = Route(identity or plain_id(), zone, pattern, account, script)
        self._database.insert("routes", *vars(created).values(), replace=True)
        return created

    def _zone_of(self, account: str, asked: Mapping[str, Any]) -> str:
        """Return the zone that a route from wrangler names, or that its pattern belongs to."""
        if asked.get("zone_id"):
            return str(asked["zone_id"])
        parsed = read_pattern(str(asked.get("pattern")))
        for zone in self._zones.list_zones(account):
            named = asked.get("zone_name")
            if zone.name == named or (not named and parsed and zone.contains(parsed.hostname)):
                return zone.id
        raise routing_codes.zone_not_found()

    def route(self, zone: str, identity: str) -> Route:
        """Return the zone's route with that ID. Refusal: 10009."""
        for row in self._database.select("routes", zone=zone, id=identity):
            return Route(*row)
        raise routing_codes.route_not_found()

    def routes(self, zone: str) -> list[Route]:
        """List the zone's routes, by pattern."""
        return [Route(*row) for row in self._database.select("routes", "pattern", zone=zone)]

    def delete_route(self, zone: str, identity: str) -> Route:
        """Delete a route and return it. Refusal: 10009."""
        route = self.route(zone, identity)
        self._database.delete("routes", id=identity)
        return route

    # Custom domains -------------------------------------------------------------------------------

    def put_domain(self, account: str, asked: Mapping[str, Any]) -> Domain:
        """Assign a hostname to a script, even if another script has it.

        Raises:
            Refusal: 10007 unknown script, 100115 hostname outside the zone, 10001 no zone given.
        """
        with self._database.transaction():
            return self._assign(account, asked)

    def replace_domains(
        self, account: str, script: str, wanted: Sequence[Mapping[str, Any]]
    ) -> list[Domain]:
        """Replace all custom domains of a script, in one transaction.

        Raises:
            Refusal: as for `put_domain`.
        """
        with self._database.transaction():
            created = [self._assign(account, {**domain, "service": script}) for domain in wanted]
            remaining = {domain.id for domain in created}
            for domain in self.domains(account):
                if domain.script == script and domain.id not in remaining:
                    self.delete_domain(account, domain.id)
            return created

    def _assign(self, account: str, asked: Mapping[str, Any]) -> Domain:
        hostname, script = str(asked["hostname"]).lower(), str(asked["service"])
        if not self._has(account, script):
            raise codes.script_not_found()
        zone = self._zone_for(account, hostname, asked)
        before = [domain for domain in self.domains(account) if domain.hostname == hostname]
        created = Domain(
            id=before[0].id if before else plain_id(),
            account=account,
            hostname=hostname,
            script=script,
            environment=str(asked.get("environment") or "production"),
            zone=zone,
            certificate=before[0].certificate if before else hyphened_id(),
        )
        self._database.insert("domains", *vars(created).values(), replace=True)
        return created

    def domain(self, account: str, identity: str) -> Domain:
        """Return the account's custom domain with that ID. Refusal: 100114."""
        for row in self._database.select("domains", account=account, id=identity):
            return Domain(*row)
        raise routing_codes.domain_not_found()

    def domains(self, account: str) -> list[Domain]:
        """List the account's custom domains, by hostname."""
        rows = self._database.select("domains", "hostname", account=account)
        return [Domain(*row) for row in rows]

    def delete_domain(self, account: str, identity: str) -> None:
        """Remove a hostname from its script. Refusal: 100114."""
        self.domain(account, identity)
        self._database.delete("domains", id=identity)

    # Requests -------------------------------------------------------------------------------------

    def patterns(self, account: str, script: str) -> list[Pattern]:
        """List a script's routes and custom domains."""
        routes = self._database.select("routes", account=account, script=script)
        hosts = self._database.select("domains", account=account, script=script)
        patterns = [read_pattern(row["pattern"]) for row in routes]
        return [
            *(pattern for pattern in patterns if pattern is not None),
            *(Pattern(row["hostname"], "/*") for row in hosts),
        ]

    def find(self, host: str, path: str) -> tuple[str, str] | None:
        """Return account and script of a request, or None if no script answers it.

        The most specific route decides; a custom domain answers if no route matches.

        Args:
            host: the hostname, without a port.
            path: the path with its query.
        """
        routes = [Route(*row) for row in self._database.select("routes")]
        matching = [
            (pattern.weight, route)
            for route in routes
            if (pattern := read_pattern(route.pattern)) and pattern.matches(host, path)
        ]
        if matching:
            _, route = max(matching, key=lambda match: match[0])
            return (route.account, route.script) if route.account and route.script else None
        for row in self._database.select("domains", hostname=host.lower()):
            return row["account"], row["script"]
        return None

    def _account(self, zone: str, script: str) -> str:
        """Return the account of a script: the zone's, or the account that uploaded it last."""
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
        return bool(self._database.select("scripts", account=account, name=script))

    def _zone_for(self, account: str, hostname: str, asked: Mapping[str, Any]) -> str:
        given, name = asked.get("zone_id"), asked.get("zone_name")
        if given:
            zone = self._zones.ensure(str(given), hostname, account)
            if zone.account == account and zone.contains(hostname):
                return zone.id
            raise routing_codes.domain_outside_zone(hostname, zone.name)
        for zone in self._zones.list_zones(account):
            if zone.contains(hostname) and name in {None, zone.name}:
                return zone.id
        raise routing_codes.domain_outside_zone(hostname, str(name or "any of the account"))
