"""Finds no static assets: Cloudflare's API does not list a script's files."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Return None, so that the next `up` uploads the files that Cloudflare does not have."""
    del wanted, account, findings
    return None
