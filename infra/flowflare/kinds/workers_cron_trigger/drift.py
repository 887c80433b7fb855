"""Compare the cron triggers of scripts."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import Record, Scene, make_finding
from flowflare.kinds.workers_cron_trigger import KIND
from flowflare.values.properties import UNKNOWN, plain


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in the cron triggers of a stack's scripts."""
    records = scene.by_script(KIND)
    for name, script in scene.live_scripts(account).items():
        yield from _compare_crons(script, records.get(name), name, account)


def _compare_crons(
    script: Record, record: Record | None, name: str, account: Account
) -> Iterator[Drifted]:
    live = set(account.schedules(name))
    listed = plain(record.inputs.get("schedules")) if record else []
    if listed is UNKNOWN:
        return
    wanted = {str(schedule.get("cron")) for schedule in listed or []}
    about = record or script
    for cron in sorted(wanted - live):
        message = f"cron {cron} of {name} no longer runs"
        path = f'schedules["{cron}"]'
        yield make_finding(about, "missing", message, path=path, state=cron, severity="error")
    for cron in sorted(live - wanted):
        message = f"cron {cron} of {name} runs, but is not in state"
        path = f'schedules["{cron}"]'
        yield make_finding(about, "extra", message, path=path, account=cron, action="adopt")
