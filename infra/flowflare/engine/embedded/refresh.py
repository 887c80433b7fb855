"""Compare a stack's state with its account, so that the next `up` repairs differences.

Pulumi's refresh reads the account's values into state. Here a record keeps its inputs and gets an
init error instead, and `up` sends all of them again. Missing resources are dropped from state, and
`up` creates them.
"""

from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.live_scene import find_differences, make_scene
from flowflare.engine.refused_steps import make_failure
from flowflare.engine.report import RunLog, describe_failures
from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.handler import Existing
from flowflare.state.checkpoint import PROVIDER_PREFIX, Deployment, Resource
from flowflare.values.events import Event, Op, Step
from flowflare.values.show import shown_props

#: The note of a resource that is dropped from state.
GONE = "is not in the account"


def refresh(ledger: Ledger, providers: Providers, account: Account, report: RunLog) -> None:
    """Drop records of missing resources from a state, and mark those that differ.

    Args:
        report: receives a step for each resource, and a note for each difference that `up` cannot
            repair.

    Raises:
        UpdateFailed: some resources could not be read; nothing was changed.
    """
    records = [record for record in ledger.list_untouched() if _is_live(record)]
    gone = {record.urn for record in records if not _exists(record, ledger, providers, report)}
    if report.failures:
        raise describe_failures(report.failures)
    left = Deployment(tuple(each for each in ledger.all() if each.urn not in gone))
    found: dict[tuple[str, str], list[Drifted]] = {}
    for each in find_differences(make_scene(left), account):
        found.setdefault((each.resource, each.type), []).append(each)
    for record in records:
        findings = found.get((record.name, record.type), [])
        if record.urn in gone:
            ledger.forget(record)
            report.finish_step(_make_step("delete", record, GONE))
            continue
        for each in findings:
            if not is_repaired(each):
                message = f"{each.resource}: `up` does not repair this: {each.message}"
                report.note(Event("note", message=message, severity="warning"))
        reasons = [each.message for each in findings if is_repaired(each)]
        if reasons:
            more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
            reason = f"differs in the account: {reasons[0]}{more}"
            ledger.spoil(record, reason)
            report.finish_step(_make_step("update", record, reason))
        else:
            report.finish_step(_make_step("same", record, ""))
    ledger.detach(gone)


def is_repaired(found: Drifted) -> bool:
    """Return whether an `up` that sends a resource again repairs a difference."""
    if found.action == "adopt":
        return found.path.startswith("bindings[") or found.type.endswith(":WorkersCronTrigger")
    return found.action in ("put-back", "remake")


def _is_live(record: Resource) -> bool:
    return (
        record.custom
        and not record.type.startswith(PROVIDER_PREFIX)
        and not (record.external or record.delete or record.pending_replacement)
    )


def _exists(record: Resource, ledger: Ledger, providers: Providers, report: RunLog) -> bool:
    provider = ledger.current(record.provider.rpartition("::")[0])
    try:
        handler = providers.handler(record.type, provider)
        return handler.read(Existing.of(record)) is not None
    except Exception as error:  # noqa: BLE001 -- a provider's failure is a result of the run
        step = _make_step("same", record, "")
        report.fail_step(step, make_failure(step, error))
        return True


def _make_step(op: Op, record: Resource, note: str) -> Step:
    return Step(
        op,
        record.urn,
        record.type,
        record.name,
        note=note,
        old=shown_props(record.inputs),
        new=None if op == "delete" else shown_props(record.inputs),
        outputs=shown_props(record.outputs),
        protected=record.protect,
        protect=record.protect,
    )
