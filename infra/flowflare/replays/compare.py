"""Describe what a replay of an unfinished instance does after a Workflow's steps change.

Cloudflare stores the result of a step under its name, and numbers the calls of one name
(developers.cloudflare.com/workflows/build/rules-of-workflows). A replay runs the new code and takes
each stored result by that key. A sleep's key includes its duration, the key of `waitForEvent` does
not include the event's type (workflows-shared of cloudflare/workers-sdk).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from flowflare.replays.steps import Choice, StepCall, Steps, list_steps

Effect = Literal["replays", "unknown", "harmless"]
_MOST: Final = 8


@dataclass(frozen=True)
class Replay:
    """The effect of changed steps on unfinished instances.

    Attributes:
        effect: `replays` if a replay runs steps again or gets other results, `harmless` if not.
        text: a sentence.
    """

    effect: Effect
    text: str


@dataclass(frozen=True)
class Version:
    """A version of a Workflow: its Worker's ES module, and its class."""

    code: str
    class_name: str


def compare_versions(old: Version, new: Version) -> tuple[Replay, ...]:
    """Return the effect of a Workflow's changed code on its unfinished instances."""
    if old == new:
        return ()
    before, after = list_steps(old.code, old.class_name), list_steps(new.code, new.class_name)
    for steps, which in ((before, "deployed"), (after, "new")):
        if steps.problem:
            text = f"the steps of the {which} code are unknown, because {steps.problem}."
            return (Replay("unknown", text),)
    computed = list(_compare_computed(before, after))
    found = [
        *_compare_names(before, after, is_complete=not computed),
        *_compare_counts(before, after),
        *_compare_waits(before, after),
        *computed,
    ]
    more = len(found) - _MOST
    rest = (
        [Replay(found[_MOST].effect, f"{more} more changes of its steps are not listed.")]
        if more > 0
        else []
    )
    return (*found[:_MOST], *rest)


def _compare_names(before: Steps, after: Steps, *, is_complete: bool) -> Iterator[Replay]:
    """Compare the names that are known; names of computed steps may be those that are missing."""
    old, new = _list_keys(before), _list_keys(after)
    gone = [key for key in old if key not in new]
    come = [key for key in new if key not in old]
    kept_old, kept_new = ([key for key in keys if key in old and key in new] for keys in (old, new))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for op, start, end, begin, until in matcher.get_opcodes():
        lost = [key for key in old[start:end] if key in gone]
        added = [key for key in new[begin:until] if key in come]
        paired = min(len(lost), len(added)) if op == "replace" and is_complete else 0
        for was, becomes in zip(lost[:paired], added[:paired], strict=True):
            yield Replay("replays", _describe_rename(was, becomes))
        for key in lost[paired:] if is_complete else ():
            text = f"{_name(key)} is removed: its stored result is no longer used."
            yield Replay("replays", text)
        later = [key for key in new[until:] if key in old]
        for key in added[paired:] if later else ():
            text = (
                f"{_name(key)} is new before {_name(later[0])}: instances that are past this place "
                "run it when they replay, later than in order."
            )
            yield Replay("harmless", text)
    if kept_old != kept_new:
        moves = SequenceMatcher(None, kept_old, kept_new, autojunk=False).get_opcodes()
        moved = [key for op, *_, at, to in moves if op != "equal" for key in kept_new[at:to]]
        text = (
            f"the order of the steps changes at {', '.join(map(_name, moved))}. Stored results are "
            "found by name, so a replay does not run finished steps again."
        )
        yield Replay("harmless", text)


_AGAIN: Final = {
    "do": "run the step again under its new name",
    "sleep": "sleep again from the start",
    "sleepUntil": "sleep again until the time that the new code computes",
    "waitForEvent": "wait for another event",
}


def _describe_rename(was: tuple[str, str], becomes: tuple[str, str]) -> str:
    return (
        f"{_name(was)} is now {_name(becomes)}: instances that finished `{was[1]}` and are not "
        f"complete {_AGAIN[becomes[0]]}."
    )


def _name(key: tuple[str, str]) -> str:
    method, name = key
    return f"`{name}`" if method == "do" else f"`{method}` `{name}`"


def _list_keys(steps: Steps) -> list[tuple[str, str]]:
    """List the steps whose names are known, each once, in order."""
    known = [(call.method, call.name) for call in steps.flat if call.name is not None]
    return list(dict.fromkeys(known))


def _compare_counts(before: Steps, after: Steps) -> Iterator[Replay]:
    """Compare how often one name is used: the number of the call is part of its key."""
    old, new = _count(before.calls), _count(after.calls)
    for key in old.keys() & new.keys():
        if old[key] != new[key]:
            text = (
                f"{_name(key)} is called {new[key]} times, before {old[key]}. Cloudflare numbers "
                "calls of one name, so a replay may return the stored result of another call."
            )
            yield Replay("replays", text)
        elif old[key] > 1 and _is_swapped(key, before, after):
            text = (
                f"the calls of {_name(key)} change places. Cloudflare numbers calls of one name, "
                "so a replay returns the stored result of another call."
            )
            yield Replay("replays", text)


def _is_swapped(key: tuple[str, str], before: Steps, after: Steps) -> bool:
    old, new = (
        [call.body for call in steps.flat if (call.method, call.name) == key]
        for steps in (before, after)
    )
    return old != new and sorted(old) == sorted(new)


def _count(calls: Sequence[StepCall | Choice]) -> Counter[tuple[str, str]]:
    """Count the calls of each name; of alternative branches, count the one with the most calls."""
    found: Counter[tuple[str, str]] = Counter()
    for call in calls:
        if isinstance(call, Choice):
            most: Counter[tuple[str, str]] = Counter()
            for branch in call.branches:
                most |= _count(branch)
            found += most
        elif call.name is not None:
            found[call.method, call.name] += 1
    return found


def _compare_waits(before: Steps, after: Steps) -> Iterator[Replay]:
    old, new = _map_waits(before), _map_waits(after)
    for key in sorted(old.keys() & new.keys()):
        if old[key] != new[key]:
            method, name = key
            yield Replay("replays", _WAITS[method].format(name))


_WAITS: Final = {
    "sleep": "`{}` sleeps for a different time: instances that slept and are not complete sleep "
    "again from the start.",
    "waitForEvent": "`{}` waits for another type of event: instances that wait there are no longer "
    "woken by events of the old type.",
}


def _map_waits(steps: Steps) -> Mapping[tuple[str, str], Sequence[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for call in steps.flat:
        if call.method in _WAITS and call.name is not None:
            found.setdefault((call.method, call.name), []).append(call.waits_for)
    return found


def _compare_computed(before: Steps, after: Steps) -> Iterator[Replay]:
    """Find computed names that are computed in another way than before."""
    old, new = (
        {(call.method, call.signature): call for call in steps.flat if call.name is None}
        for steps in (before, after)
    )
    changed = [call for key, call in new.items() if key not in old]
    lost = [call for key, call in old.items() if key not in new]
    for call in changed or lost:
        shown = call.shown.strip("`").replace("`", "'")
        if call.method == "call":
            text = f"`{shown}` calls steps that are not in the Worker's code."
        elif changed:
            text = f"the name `{shown}` of a step is computed, in another way than before."
        else:
            text = f"a step is removed whose name `{shown}` is computed."
        yield Replay("unknown", f"{text} It is unknown what a replay runs again.")
