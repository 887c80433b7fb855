"""Compare the custom domains of scripts."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_found
from flowflare.kinds.scene import Scene, make_finding, text
from flowflare.kinds.workers_custom_domain import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in the custom domains of a stack's scripts."""
    records = scene.of_kind(KIND)
    live = {str(domain["hostname"]): domain for domain in account.domains()}
    known = {text(record, "hostname") for record in records}
    for record in records:
        yield from compare_found(
            record, live.get(text(record, "hostname")), ("service",), "custom domain"
        )
    for hostname, domain in sorted(live.items()):
        if hostname not in known and domain.get("service") in scene.scripts:
            script = scene.scripts[str(domain["service"])]
            message = f"custom domain {hostname} leads to it, but is not in state"
            yield make_finding(
                script, "extra", message, path="domains", account=dict(domain), action="adopt"
            )
