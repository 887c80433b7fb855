"""Find custom domains by their hostname."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.found import refuse_elsewhere
from flowflare.kinds.spelling import pick_attributes
from flowflare.kinds.workers_custom_domain.apply import WorkersCustomDomain


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the custom domain of that hostname; refuse one that leads to another script."""
    hostname, script = wanted.text("hostname"), wanted.text("service")
    row = next((domain for domain in account.domains() if domain.get("hostname") == hostname), None)
    if row is None:
        return None
    if row.get("service") != script:
        refuse_elsewhere(findings, f"custom domain {hostname}", row.get("service"), script)
        return None
    outputs = {**pick_attributes(row, WorkersCustomDomain.attributes), **wanted.inputs}
    return Thing(str(row["id"]), dict(wanted.inputs), outputs, hostname)
