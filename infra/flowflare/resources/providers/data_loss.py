"""Stops class migrations that lose or move objects, which `protect` lets through as updates."""

from flowflare.resources.providers.base import Props

#: The input that lifts the protection: the reason of `flowflare:allowDataLoss`.
ALLOWED = "allow_data_loss"


def class_loss_problem(olds: Props, news: Props) -> str | None:
    """What is wrong with the steps that a history has got, None where they lose nothing.

    A script that is made has had no objects yet, so its whole history is harmless.

    Args:
        olds: the inputs in state, empty for a creation.
        news: the program's inputs.
    """
    if not olds or news.get(ALLOWED):
        return None
    added = (news.get("history") or ())[len(olds.get("history") or ()) :]
    for step in added:
        deleted = ", ".join(step.get("deleted_classes") or ())
        moved = ", ".join(one["from"] for one in step.get("transferred_classes") or ())
        if deleted or moved:
            what = f"deletes {deleted} with all its objects" if deleted else f"moves {moved}"
            return (
                f"the class migration {step['tag']!r} {what}, which protect stops. If that is "
                "meant, name this resource in flowflare:allowDataLoss and say why"
            )
    return None
