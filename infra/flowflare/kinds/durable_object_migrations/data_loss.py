"""Refuse class migrations that lose or move objects; for `protect` these are only updates."""

from flowflare.kinds.provider import Props
from flowflare.model.class_history import list_classes_after, list_losses
from flowflare.model.class_migrations import from_wire

#: The input that lifts the protection: the reason of `flowflare:allowDataLoss`.
ALLOWED = "allow_data_loss"


def find_class_loss(olds: Props, news: Props) -> str | None:
    """Describe the first new step that loses or moves objects; None if there is none.

    A new script has no objects yet, so its whole history is harmless. So is deleting a class that
    the same run creates.

    Args:
        olds: the inputs in state, empty for a creation.
        news: the program's inputs.
    """
    if not olds or news.get(ALLOWED):
        return None
    history = from_wire(news.get("history") or ())
    applied = len(olds.get("history") or ())
    lost = list_losses(history[applied:], list_classes_after(history[:applied]))
    begun = news.get("begun") or {}
    for index, step in enumerate(history[applied:]):
        deleted = [name for position, name in lost if position == index]
        moved = [move.old for move in step.transferred_classes]
        if deleted or moved:
            names = ", ".join(deleted)
            what = f"deletes {names} with all its objects" if names else f"moves {', '.join(moved)}"
            return (
                f"the class migration {step.tag!r} {what}, which protection prevents. "
                f"{_suggest_transfer(deleted, begun, str(news.get('script_name')))}If this is "
                "intended, name this resource in flowflare:allowDataLoss and say why"
            )
    return None


def find_stranded_objects(olds: Props, news: Props) -> str | None:
    """Describe the objects that a new name of a script leaves behind; None if there are none.

    Args:
        olds: the inputs in state, empty for a creation.
        news: the program's inputs.
    """
    old, new = olds.get("script_name"), news.get("script_name")
    if not old or old == new or news.get(ALLOWED):
        return None
    classes = ", ".join(list_classes_after(from_wire(olds.get("history") or ())))
    if not classes:
        return None
    return (
        f"the objects of {classes} belong to the script {old} and would not move to {new}, "
        f"which protection prevents. Keep the name {old}: write it into flowflare:names (under "
        "clients, or as service). If the objects may be lost, name this resource in "
        "flowflare:allowDataLoss and say why"
    )


def _suggest_transfer(deleted: list[str], begun: Props, script: str) -> str:
    """Suggest a transfer for a deleted class that another script creates under the same name."""
    words = []
    for name in deleted:
        if name in begun:
            step = f"transferredClasses: [{{from: {name}, fromScript: {script}, to: {name}}}]"
            words.append(
                f"The script {begun[name]} creates a class {name} with no objects. To move the "
                f"objects there, write {step} there and no deletedClasses here. "
            )
    return "".join(words)
