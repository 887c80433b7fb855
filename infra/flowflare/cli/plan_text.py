"""Print reviews of plans, and summaries of runs."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flowflare.review.words import DONE, RISK_WORDS

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.values.events import Change, Step, Update

STYLES = {
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "delete": "red",
    "same": "",
    "loses-data": "bold red",
    "unknown": "bold magenta",
    "changes-replays": "yellow",
    "restarts": "yellow",
    "safe": "",
    "title": "bold",
}


def print_review(review: "Review", *, created: bool = False) -> None:
    """Print a review's resources and refusals; colours only on a terminal.

    Args:
        created: whether to print the properties of created resources too.
    """
    from flowflare.cli.console import print_lines
    from flowflare.review.text import write_lines

    print_lines(write_lines(review, created=created), STYLES)


def print_meaning(update: "Update") -> None:
    """Print how a run affected data and Durable Objects, if it did."""
    from flowflare.cli.console import print_result
    from flowflare.review.changes import review
    from flowflare.values.events import Plan

    for entry in review(Plan(update.steps)).entries:
        if entry.risk != "safe":
            text = f"  {RISK_WORDS[entry.risk]}: {entry.name} ({DONE[entry.op]})"
            print_result(text, style=STYLES[entry.risk])


def print_suspended(project: "Project") -> None:
    """Print what it means that a stack is suspended; print nothing for other stacks."""
    from flowflare.cli.console import print_result

    value = project.values.get("flowflare:suspended")
    if value is not None and value.text == "true":
        print_result(
            "Suspended: its Workers have no workers.dev URLs, routes, custom domains or cron "
            "triggers; databases, Durable Objects and Workflows stay."
        )


def summarise_steps(steps: Iterable["Step"]) -> str:
    """Return the number of resources per operation, such as `2 created, 7 unchanged`."""
    counts: Counter[str] = Counter(step.op for step in steps if step.custom)
    parts = [f"{counts[op]} {word}" for op, word in DONE.items() if counts[op]]
    if counts["same"]:
        parts.append(f"{counts['same']} unchanged")
    return ", ".join(parts) or "no resources"


def dump_step(step: "Step") -> dict[str, Any]:
    """Return one step of a run as plain data."""
    return {
        "op": step.op,
        "name": step.name,
        "type": step.type,
        "urn": step.urn,
        "changes": [_dump_change(change) for change in step.changes],
        "replaces": list(step.replaces),
        "note": step.note,
    }


def _dump_change(change: "Change") -> dict[str, Any]:
    return {
        "path": change.path,
        "kind": change.kind,
        "old": change.old,
        "new": change.new,
        "replaces": change.replaces,
        "waits_for": list(change.waits_for),
    }
