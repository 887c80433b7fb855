"""Find whether a live script has a workers.dev URL."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.found import take_live

_FIELDS = {"enabled": "enabled", "previewsEnabled": "previews_enabled"}


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find whether a live script has a workers.dev URL."""
    del findings
    name = wanted.text("scriptName")
    if name not in account.scripts():
        return None
    row = account.subdomain(name)
    live = {key: bool(row.get(api)) for key, api in _FIELDS.items()}
    inputs, found = take_live(wanted, live)
    return Thing(wanted.text("accountId"), inputs, dict(inputs), name, found)
