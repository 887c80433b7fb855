"""Compare the state of an environment's stacks with their accounts; report equal drift once."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from flowflare.fleet.session import FleetSession
from flowflare.fleet.workers.pool import Task
from flowflare.fleet.workers.words import replace_words
from flowflare.fleet.workers.workshop import Workshop
from flowflare.review.drift.compare import make_failed, mark_allowed
from flowflare.review.drift.model import DriftDocument, StackDrift, make_document
from flowflare.review.drift.text import summarise_drift, write_stack
from flowflare.review.report_text import list_names
from flowflare.review.text import Line


@dataclass
class FleetDrift:
    """The drift of a fleet.

    Attributes:
        document: the drift of each stack, as in `flowflare drift --json`.
        groups: the stacks with equal drift, and the drift with placeholders for
            what depends on the stack.
    """

    document: DriftDocument
    groups: list[tuple[tuple[str, ...], StackDrift]] = field(default_factory=list)


def compare_stacks(
    session: FleetSession,
    shop: Workshop,
    stacks: Iterable[str],
    on_progress: Callable[[int], None] | None = None,
    *,
    allowed: Mapping[str, str] | None = None,
) -> FleetDrift:
    """Compare stacks with their accounts.

    Args:
        shop: the workers and the budget that they share.
        on_progress: is called with the number of compared stacks.
        allowed: properties that may be unknown, with the reasons.
    """
    run, found, words = uuid4().hex, [], {}
    for result in shop.run(Task("drift", stack, {"run": run}) for stack in stacks):
        stack = result.task.stack
        if result.ok:
            drifted = StackDrift.model_validate(result.value["drift"])
            found.append(mark_allowed(drifted, allowed or {}))
            words[stack] = result.value["words"]
        else:
            found.append(make_failed(stack, session.engines[stack].name, result.error))
        if on_progress is not None:
            on_progress(len(found))
    return FleetDrift(make_document(session.project, found), _group(found, words))


def format_drift(found: FleetDrift) -> Iterator[Line]:
    """Format the drift as lines of text, the largest groups first."""
    for stacks, drift in found.groups:
        title = stacks[0] if len(stacks) == 1 else f"{len(stacks):,} stacks: {list_names(stacks)}"
        yield Line("title", f"{found.document.project}/{title}")
        yield from write_stack(drift)
        yield Line("", "")
    yield Line("", summarise_drift(found.document))


def _group(
    found: Iterable[StackDrift], words: Mapping[str, Mapping[str, str]]
) -> list[tuple[tuple[str, ...], StackDrift]]:
    groups: dict[str, list[StackDrift]] = {}
    common: dict[str, Any] = {}
    for drift in found:
        if not drift.findings and not drift.error and not drift.unknown:
            continue
        raw = drift.model_dump(mode="json", exclude={"stack", "api_calls"})
        shared = replace_words(raw, words.get(drift.stack, {}))
        key = json.dumps(shared, sort_keys=True)
        groups.setdefault(key, []).append(drift)
        common[key] = shared
    made = []
    for key, drifts in groups.items():
        stacks = tuple(sorted(drift.stack for drift in drifts))
        shown = drifts[0]
        if len(stacks) > 1:
            shown = StackDrift.model_validate({**common[key], "stack": "<stack>", "api_calls": 0})
        made.append((stacks, shown))
    return sorted(made, key=lambda group: (not group[1].error, -len(group[0]), group[0]))
