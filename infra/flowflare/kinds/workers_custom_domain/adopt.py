"""Finds custom domains by their hostname."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.found import refuse_elsewhere
from flowflare.kinds.spelling import picked
from flowflare.kinds.workers_custom_domain.apply import WorkersCustomDomain


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The custom domain of that hostname; one that leads elsewhere stops the adoption."""
    hostname, script = wanted.text("hostname"), wanted.text("service")
    row = next((one for one in account.domains() if one.get("hostname") == hostname), None)
    if row is None:
        return None
    if row.get("service") != script:
        refuse_elsewhere(findings, f"custom domain {hostname}", row.get("service"), script)
        return None
    outputs = {**picked(row, WorkersCustomDomain.attributes), **wanted.inputs}
    return Thing(str(row["id"]), dict(wanted.inputs), outputs, hostname)
