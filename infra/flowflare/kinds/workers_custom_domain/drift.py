"""Compares the custom domains that scripts answer."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_found
from flowflare.kinds.scene import Scene, drifted, text
from flowflare.kinds.workers_custom_domain import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the custom domains of a stack's scripts."""
    records = scene.of_kind(KIND)
    live = {str(each["hostname"]): each for each in account.domains()}
    known = {text(one, "hostname") for one in records}
    for one in records:
        yield from compare_found(
            one, live.get(text(one, "hostname")), ("service",), "custom domain"
        )
    for hostname, each in sorted(live.items()):
        if hostname not in known and each.get("service") in scene.scripts:
            script = scene.scripts[str(each["service"])]
            message = f"custom domain {hostname} leads to it, and state does not know it"
            yield drifted(
                script, "extra", message, path="domains", account=dict(each), action="adopt"
            )
