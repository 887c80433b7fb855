"""Compares a resource with what the account has under its name: state, or what is declared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flowflare.kinds.adoption import Difference, Findings, Wanted
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import Record, as_sent, differing, drifted, masked, shown
from flowflare.kinds.spelling import snake
from flowflare.values.properties import Props


def compare_found(
    one: Record, live: Mapping[str, Any] | None, keys: tuple[str, ...], what: str
) -> Iterator[Drifted]:
    """Compares a resource with what the account has under its name: state, or what is declared."""
    wanted = as_sent(one.inputs)
    label = masked(wanted.get("pattern") or wanted.get("hostname") or wanted.get("workflow_name"))
    if live is None:
        message = f"{what} {label} is not in the account"
        yield drifted(one, "missing", message, state=label, severity="error", action="remake")
        return
    for key in map(snake, keys):
        for path, before, after in differing(wanted.get(key), live.get(key), key):
            message = f"{what} {label}: {path} is {shown(after)}, state says {shown(before)}"
            yield drifted(
                one, "changed", message, path=path, state=before, account=after, severity="error"
            )


def take_live(wanted: Wanted, live: Props) -> tuple[Props, list[Difference]]:
    """The declared inputs with what is live, and where the two differ."""
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
    """Refuse to take over an address that leads to another script."""
    findings.refuse(
        f"{what} leads to the script {script}, not to {wanted}",
        "Delete it or let it lead there, or leave it out of the configuration.",
    )


def compare_by_id(
    records: Iterable[Record], live: Mapping[str, Mapping[str, Any]], keys: Sequence[str], what: str
) -> Iterator[Drifted]:
    """Compare stores with what the account has under their IDs.

    Args:
        records: what state has; the first of the keys is a store's name.
        live: what the account has, by ID.
        keys: inputs that are compared.
        what: what people call one.
    """
    for record in records:
        there, wanted = live.get(record.id), as_sent(record.inputs)
        label = masked(wanted.get(snake(keys[0])))
        if there is None:
            message = f"{what} {label} is not in the account; its data went with it"
            yield drifted(
                record, "missing", message, state=label, severity="error", action="restore"
            )
            continue
        for key in map(snake, keys):
            for path, before, after in differing(wanted.get(key), there.get(key), key):
                message = f"{what} {label}: {path} is {shown(after)}, state says {shown(before)}"
                yield drifted(record, "changed", message, path=path, state=before, account=after)
