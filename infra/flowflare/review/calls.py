"""Estimate how many requests to Cloudflare's API a step takes.

The count is for a run in which no request fails and no interrupted run is repaired. A test compares
the count with the emulator's request log.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from flowflare.kinds.contract import load_calls
from flowflare.kinds.one_request import count_calls as count_one
from flowflare.kinds.registry import find_kind
from flowflare.review.entries import Calls, Entry
from flowflare.values.events import HALF_DONE, RETAINED, Step

_CLOUDFLARE: Final = "cloudflare:"


def count_calls(step: Step) -> int:
    """Count the requests of a step. A replacement counts as its delete and its create."""
    if step.op == "same" or not step.custom or step.note == RETAINED:
        return 0
    if step.note == HALF_DONE:
        step = replace(step, op="create")
    kind = find_kind(step.type)
    if kind is not None:
        count = load_calls(kind)
        return 0 if count is None else count(step)
    # A resource type that this package does not know is counted like Cloudflare's other types.
    return count_one(step) if step.type.startswith(_CLOUDFLARE) else 0


def sum_calls(entries: Iterable[Entry]) -> tuple[Calls, ...]:
    """Sum the requests by type and operation, sorted. Operations without requests are skipped."""
    resources: Counter[tuple[str, str]] = Counter()
    calls: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if entry.api_calls:
            resources[entry.type, entry.op] += 1
            calls[entry.type, entry.op] += entry.api_calls
    return tuple(
        Calls.model_validate({"type": key[0], "op": key[1], "resources": number} | {"calls": sent})
        for (key, sent), number in (
            ((key, calls[key]), resources[key]) for key in sorted(resources)
        )
    )
