"""Compares the routes that lead to scripts."""

from collections.abc import Iterator

from flowflare.kinds import workers_custom_domain
from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_found
from flowflare.kinds.scene import Scene, drifted, text
from flowflare.kinds.workers_route import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the routes of a stack's scripts, in the zones that the stack names."""
    records = scene.of_kind(KIND)
    zones = sorted({text(one, "zoneId") for one in records} | _list_domain_zones(scene))
    known = {one.id for one in records}
    for zone in zones:
        live = {str(each["id"]): each for each in account.routes(zone)}
        for one in records:
            if text(one, "zoneId") == zone:
                yield from compare_found(one, live.get(one.id), ("pattern", "script"), "route")
        for identity, each in sorted(live.items()):
            if identity not in known and each.get("script") in scene.scripts:
                script = scene.scripts[str(each["script"])]
                message = f"route {each['pattern']} leads to it, and state does not know it"
                yield drifted(
                    script, "extra", message, path="routes", account=dict(each), action="adopt"
                )
    if not zones and scene.scripts:
        scene.unseen.append(
            "Routes are looked for in the zones that the stack names, and it names none."
        )


def _list_domain_zones(scene: Scene) -> set[str]:
    return {text(one, "zoneId") for one in scene.of_kind(workers_custom_domain.KIND)} - {""}
