"""Find queue consumers by their queue and script."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted
from flowflare.kinds.found import refuse_elsewhere
from flowflare.kinds.queue_consumer.apply import COMPUTED
from flowflare.kinds.queue_consumer.drift import script_of
from flowflare.kinds.scene import as_sent, find_differences
from flowflare.kinds.spelling import camel, from_api, pick_attributes


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the consumer of the queue; refuse a consumer of another script."""
    queue_id, script = wanted.text("queueId"), wanted.text("scriptName")
    row = next(
        (row for row in account.read_list("/queues") if row.get("queue_id") == queue_id), None
    )
    live = next(iter((row or {}).get("consumers") or ()), None)
    if row is None or live is None:
        return None
    if script_of(live) != script:
        what = f"queue {row.get('queue_name')}"
        refuse_elsewhere(findings, what, script_of(live) or "(none: it is pulled)", script)
        return None
    inputs, differences = dict(wanted.inputs), list[Difference]()
    for key in ("dead_letter_queue", "settings"):
        declared = as_sent(wanted.inputs.get(camel(key)))
        found = list(find_differences(declared, live.get(key), key))
        differences += [
            Difference(path=path, declared=before, account=after) for path, before, after in found
        ]
        if found:
            inputs[camel(key)] = from_api(live.get(key))
    outputs = {**pick_attributes({**live, "queue_name": row.get("queue_name")}, COMPUTED), **inputs}
    return Thing(account.identity, inputs, outputs, str(row["queue_name"]), differences)
