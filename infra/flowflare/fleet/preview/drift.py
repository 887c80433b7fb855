"""Compares the state of an environment's stacks with their accounts; what is alike is told once."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flowflare.fleet.workers.pool import Task
from flowflare.fleet.workers.words import said
from flowflare.review.drift.compare import make_failed, mark_allowed
from flowflare.review.drift.model import DriftDocument, StackDrift, make_document
from flowflare.review.drift.text import summarise_drift, write_stack
from flowflare.review.report_text import list_names
from flowflare.review.text import Line

if TYPE_CHECKING:
    from flowflare.fleet.session import Session
    from flowflare.fleet.workers.workshop import Workshop


@dataclass
class FleetDrift:
    """What has drifted in a fleet.

    Attributes:
        document: the stacks one by one, as `flowflare drift --json` has them.
        groups: stacks that have drifted in the same way, each group with that in common words.
    """

    document: DriftDocument
    groups: list[tuple[tuple[str, ...], StackDrift]] = field(default_factory=list)


def drift(
    session: "Session",
    shop: "Workshop",
    stacks: Iterable[str],
    on_progress: Callable[[int], None] | None = None,
    *,
    allowed: Mapping[str, str] | None = None,
) -> FleetDrift:
    """Asks the accounts.

    Args:
        session: the environment.
        shop: workers and the budget that they share.
        stacks: the stacks.
        on_progress: is told how many have been looked at.
        allowed: what may be unknown, with the reasons.
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
    return FleetDrift(make_document(session.project, found), _grouped(found, words))


def lines(found: FleetDrift) -> Iterator[Line]:
    """What has drifted as lines of text, the largest groups first."""
    for stacks, one in found.groups:
        title = stacks[0] if len(stacks) == 1 else f"{len(stacks):,} stacks: {list_names(stacks)}"
        yield Line("title", f"{found.document.project}/{title}")
        yield from write_stack(one)
        yield Line("", "")
    yield Line("", summarise_drift(found.document))


def _grouped(
    found: Iterable[StackDrift], words: Mapping[str, Mapping[str, str]]
) -> list[tuple[tuple[str, ...], StackDrift]]:
    groups: dict[str, list[StackDrift]] = {}
    common: dict[str, Any] = {}
    for one in found:
        if not one.findings and not one.error and not one.unknown:
            continue
        raw = one.model_dump(mode="json", exclude={"stack", "api_calls"})
        told = said(raw, words.get(one.stack, {}))
        key = json.dumps(told, sort_keys=True)
        groups.setdefault(key, []).append(one)
        common[key] = told
    made = []
    for key, alike in groups.items():
        stacks = tuple(sorted(one.stack for one in alike))
        shown = alike[0]
        if len(stacks) > 1:
            shown = StackDrift.model_validate({**common[key], "stack": "<stack>", "api_calls": 0})
        made.append((stacks, shown))
    return sorted(made, key=lambda one: (not one[1].error, -len(one[0]), one[0]))
