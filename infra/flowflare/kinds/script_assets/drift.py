"""Compares whether scripts have static assets; Cloudflare's API does not list the files."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import Scene, make_finding, text
from flowflare.kinds.script_assets import KIND


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find scripts whose static assets are missing, because something else was deployed."""
    live = account.scripts() if scene.of_kind(KIND) else {}
    for record in scene.of_kind(KIND):
        name = text(record, "script_name")
        if name in live and not live[name].get("has_assets"):
            message = f"the static assets of script {name} are not in the account"
            by = account.deployed_from(name)
            yield make_finding(record, "missing", message, by=by, severity="error", action="remake")
