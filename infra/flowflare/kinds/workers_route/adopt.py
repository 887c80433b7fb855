"""Find routes by their pattern."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.found import refuse_elsewhere
from flowflare.kinds.spelling import pick_attributes


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the route with that pattern; refuse one that leads to another script."""
    pattern, script = wanted.text("pattern"), wanted.text("script")
    rows = account.routes(wanted.text("zoneId"))
    row = next((route for route in rows if route.get("pattern") == pattern), None)
    if row is None:
        return None
    if row.get("script") != script:
        refuse_elsewhere(findings, f"route {pattern}", row.get("script"), script)
        return None
    outputs = {**pick_attributes(row, ("pattern", "script")), **wanted.inputs}
    return Thing(str(row["id"]), dict(wanted.inputs), outputs, pattern)
