"""Compare whether scripts have workers.dev URLs."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import Record, Scene, make_finding
from flowflare.kinds.spelling import to_api
from flowflare.kinds.workers_script_subdomain import KIND
from flowflare.values.properties import UNKNOWN, plain

_SWITCH = {True: "on", False: "off"}


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in the workers.dev URLs of a stack's scripts."""
    records = scene.by_script(KIND)
    for name, script in scene.live_scripts(account).items():
        yield from _compare_subdomain(script, records.get(name), name, account)


def _compare_subdomain(
    script: Record, record: Record | None, name: str, account: Account
) -> Iterator[Drifted]:
    live = account.subdomain(name)
    wanted = to_api(plain(record.inputs)) if record else {}
    for key in ("enabled", "previews_enabled"):
        if wanted.get(key) is UNKNOWN:
            continue
        before, after = bool(wanted.get(key)), bool(live.get(key))
        if before != after:
            what = "workers.dev is" if key == "enabled" else "preview URLs are"
            said = f"{name}: {what} {_SWITCH[after]}, but {_SWITCH[before]} in state"
            yield make_finding(
                record or script,
                "changed",
                said,
                path=key,
                state=before,
                account=after,
                severity="warning" if after else "error",
            )
