"""Settle operations that a killed run had begun, and whose results were not written.

A creation may or may not have happened. What it may have created is looked up by its exact name,
then taken over, or deleted if the program now wants something else. It is never created twice. An
update or a deletion that was interrupted is repeated.
"""

from collections.abc import Collection
from dataclasses import replace

from flowflare.engine.embedded.ledger import Ledger
from flowflare.kinds.handler import Existing, Handler
from flowflare.state.checkpoint import Pending, Resource
from flowflare.values.properties import Props, annotate, plain


def settle(
    ledger: Ledger,
    handler: Handler,
    urns: Collection[str],
    old: Resource | None,
    wanted: Props,
) -> Resource | None:
    """Settle the interrupted operations of one resource before it is compared.

    Args:
        urns: the resource's present and earlier URNs.
        wanted: the inputs that the program wants now.

    Returns:
        Its record in state afterwards.
    """
    for pending in ledger.list_interrupted(urns):
        if pending.resource.delete:
            continue  # the old half of a replacement: its own record decides what happens to it
        if pending.doing == "creating":
            old = _creation(ledger, handler, pending, old, wanted)
        elif old is not None and pending.doing == "deleting" and not old.pending_replacement:
            old = _deletion(ledger, handler, old)
        elif old is not None and pending.doing == "updating":
            old = ledger.spoil(old, "its update was interrupted")
        ledger.dismiss(pending)
    return old


def revive(
    ledger: Ledger,
    handler: Handler,
    urns: Collection[str],
    old: Resource | None,
    wanted: Props,
) -> Resource | None:
    """Undo a replacement if the program wants the old resource again and it still exists.

    Creating it again would fail: the old resource still has its name and would be deleted later.

    Returns:
        The record of the resource in state afterwards.
    """
    seen = plain(wanted)
    if old is not None and not handler.diff(Existing.of(old), seen).replaces:
        return old
    for record in ledger.list_condemned(urns):
        if not record.custom or handler.diff(Existing.of(record), seen).replaces:
            continue
        if handler.read(Existing.of(record)) is None:
            ledger.forget(record)
            continue
        for pending in ledger.list_interrupted({record.urn}):
            ledger.dismiss(pending)
        return ledger.revive(record, old, "it was about to be deleted")
    return old


def _creation(
    ledger: Ledger, handler: Handler, pending: Pending, old: Resource | None, wanted: Props
) -> Resource | None:
    begun = pending.resource
    made = handler.recover(plain(begun.inputs))
    if made is None:
        return old
    there = Existing(made.id, plain(begun.inputs), made.outputs)
    if handler.diff(there, plain(wanted)).replaces:
        handler.delete(there)
        return old
    reasons = () if made.certain else ("its creation was interrupted",)
    found = replace(
        begun, id=made.id, outputs=annotate(made.outputs, begun.inputs), init_errors=reasons
    )
    return ledger.adopt(found, old)


def _deletion(ledger: Ledger, handler: Handler, old: Resource) -> Resource | None:
    if handler.read(Existing.of(old)) is None:
        ledger.forget(old)
        return None
    return ledger.spoil(old, "its deletion was interrupted")


def sweep(ledger: Ledger, handler: Handler, pending: Pending) -> None:
    """Delete what an interrupted creation may have made, if the program no longer declares it."""
    if pending.doing == "creating" and not pending.resource.retain_on_delete:
        inputs = plain(pending.resource.inputs)
        made = handler.recover(inputs)
        if made is not None:
            handler.delete(Existing(made.id, inputs, made.outputs))
    ledger.dismiss(pending)
