"""Compares the cron schedules of scripts."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import Record, Scene, drifted
from flowflare.kinds.workers_cron_trigger import KIND
from flowflare.values.properties import UNKNOWN, plain


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the cron triggers of a stack's scripts."""
    records = scene.by_script(KIND)
    for name, script in scene.live_scripts(account).items():
        yield from _crons(script, records.get(name), name, account)


def _crons(script: Record, one: Record | None, name: str, account: Account) -> Iterator[Drifted]:
    live = set(account.schedules(name))
    listed = plain(one.inputs.get("schedules")) if one else []
    if listed is UNKNOWN:
        return
    wanted = {str(each.get("cron")) for each in listed or []}
    about = one or script
    for cron in sorted(wanted - live):
        message = f"cron {cron} of {name} does not run any more"
        path = f'schedules["{cron}"]'
        yield drifted(about, "missing", message, path=path, state=cron, severity="error")
    for cron in sorted(live - wanted):
        message = f"cron {cron} of {name} runs, and state does not know it"
        path = f'schedules["{cron}"]'
        yield drifted(about, "extra", message, path=path, account=cron, action="adopt")
