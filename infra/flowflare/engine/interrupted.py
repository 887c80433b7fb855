"""Sees to what a killed run left half done: an operation begun, its result not written.

A creation may or may not have happened: what it may have made is looked for by its exact name and
taken over, or removed where the program wants something else by now; never is a second one made.
An update or a deletion that was cut off is done again.
"""

from collections.abc import Collection
from dataclasses import replace

from flowflare.engine.ledger import Ledger
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
    """Settles the interrupted operations of one resource before it is compared.

    Args:
        ledger: the state.
        handler: what serves the resource.
        urns: the resource's present and earlier URNs.
        old: what state holds of it.
        wanted: the inputs that the program wants now.

    Returns:
        What state holds of it now.
    """
    for pending in ledger.interrupted(urns):
        if pending.resource.delete:
            continue  # the old half of a replacement: deleted, or revived, by its record
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
    """Takes back a replacement whose old half is still there, where that is what is wanted again.

    Made anew it would be in the way of itself: its name is taken, and its deletion still to come.

    Returns:
        What state holds of the resource now.
    """
    seen = plain(wanted)
    if old is not None and not handler.diff(Existing.of(old), seen).replaces:
        return old
    for one in ledger.condemned(urns):
        if not one.custom or handler.diff(Existing.of(one), seen).replaces:
            continue
        if handler.read(Existing.of(one)) is None:
            ledger.forget(one)
            continue
        for pending in ledger.interrupted({one.urn}):
            ledger.dismiss(pending)
        return ledger.revive(one, old, "it was about to be deleted")
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
    """Removes what an interrupted creation may have made of a resource that nobody wants now."""
    if pending.doing == "creating" and not pending.resource.retain_on_delete:
        inputs = plain(pending.resource.inputs)
        made = handler.recover(inputs)
        if made is not None:
            handler.delete(Existing(made.id, inputs, made.outputs))
    ledger.dismiss(pending)
