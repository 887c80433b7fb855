"""Compare records of state, and declared resources, with the resources of the account."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flowflare.kinds.adoption import Difference, Findings, Wanted
from flowflare.kinds.drifted import Drifted, Severity
from flowflare.kinds.scene import (
    Record,
    as_sent,
    find_differences,
    format_value,
    make_finding,
    mask_secrets,
)
from flowflare.kinds.spelling import snake
from flowflare.values.properties import Props


def compare_found(
    record: Record, live: Mapping[str, Any] | None, keys: tuple[str, ...], what: str
) -> Iterator[Drifted]:
    """Compare a record with the account's resource of its name; yield the differences."""
    wanted = as_sent(record.inputs)
    label = mask_secrets(
        wanted.get("pattern") or wanted.get("hostname") or wanted.get("workflow_name")
    )
    if live is None:
        message = f"{what} {label} is not in the account"
        yield make_finding(
            record, "missing", message, state=label, severity="error", action="remake"
        )
        return
    yield from compare_inputs(record, live, keys, f"{what} {label}", severity="error")


def compare_inputs(
    record: Record,
    live: Mapping[str, Any],
    keys: Iterable[str],
    subject: str,
    *,
    severity: Severity = "warning",
) -> Iterator[Drifted]:
    """Compare inputs of a record with the account's resource; yield the differences.

    Args:
        live: the resource as the API returns it.
        keys: the inputs to compare.
        subject: the resource in texts: its kind and name.
        severity: how severe each difference is.
    """
    wanted = as_sent(record.inputs)
    for key in map(snake, keys):
        for path, before, after in find_differences(wanted.get(key), live.get(key), key):
            now, stored = format_value(after), format_value(before)
            message = f"{subject}: {path} is {now}, but state has {stored}"
            yield make_finding(
                record,
                "changed",
                message,
                path=path,
                state=before,
                account=after,
                severity=severity,
            )


def take_live(wanted: Wanted, live: Props) -> tuple[Props, list[Difference]]:
    """Return the declared inputs with the live values, and the differences between the two."""
    inputs, found = dict(wanted.inputs), []
    for key, there in live.items():
        declared = inputs.get(key)
        if isinstance(there, bool) and not declared and not there:
            continue
        if declared != there:
            found.append(Difference(path=key, declared=declared, account=there))
            inputs[key] = there
    return inputs, found


def refuse_elsewhere(findings: Findings, what: str, script: Any, wanted: str) -> None:
    """Refuse to adopt a route or domain that leads to another script."""
    findings.refuse(
        f"{what} leads to the script {script}, not to {wanted}",
        "Delete it or let it lead there, or remove it from the configuration.",
    )


def compare_by_id(
    records: Iterable[Record],
    live: Mapping[str, Mapping[str, Any]],
    keys: Sequence[str],
    what: str,
    *,
    holds_data: bool = True,
) -> Iterator[Drifted]:
    """Compare stores with the account's stores by ID; yield the differences.

    Args:
        records: the stores in state.
        live: the stores of the account, by ID.
        keys: the inputs to compare if state has them; the first one is a store's name.
        what: a store's kind in messages.
        holds_data: whether a missing store took data with it.
    """
    for record in records:
        there = live.get(record.id)
        label = mask_secrets(as_sent(record.inputs).get(snake(keys[0])))
        if there is None:
            lost = "; its data went with it" if holds_data else ""
            yield make_finding(
                record,
                "missing",
                f"{what} {label} is not in the account{lost}",
                state=label,
                severity="error",
                action="restore" if holds_data else "remake",
            )
        else:
            declared = [key for key in keys if key in record.inputs]
            yield from compare_inputs(record, there, declared, f"{what} {label}")
