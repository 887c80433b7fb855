"""Compare the routes of scripts."""

from collections.abc import Iterator

from flowflare.kinds import workers_custom_domain
from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_found
from flowflare.kinds.scene import Scene, make_finding, text
from flowflare.kinds.workers_route import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in the routes of a stack's scripts, in the zones that it names."""
    records = scene.of_kind(KIND)
    zones = sorted({text(record, "zoneId") for record in records} | _list_domain_zones(scene))
    known = {record.id for record in records}
    for zone in zones:
        live = {str(route["id"]): route for route in account.routes(zone)}
        for record in records:
            if text(record, "zoneId") == zone:
                yield from compare_found(
                    record, live.get(record.id), ("pattern", "script"), "route"
                )
        for identity, route in sorted(live.items()):
            if identity not in known and route.get("script") in scene.scripts:
                script = scene.scripts[str(route["script"])]
                message = f"route {route['pattern']} leads to it, but is not in state"
                yield make_finding(
                    script, "extra", message, path="routes", account=dict(route), action="adopt"
                )
    if not zones and scene.scripts:
        scene.unseen.append(
            "Routes are only compared in zones that the stack names, and it names none."
        )


def _list_domain_zones(scene: Scene) -> set[str]:
    return {text(record, "zoneId") for record in scene.of_kind(workers_custom_domain.KIND)} - {""}
