"""Assesses a change of static assets: the files that change, and what cannot be compared."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flowflare.kinds.assessment import Reason, is_safe, restarts, text_of
from flowflare.kinds.surroundings import Surroundings
from flowflare.model.worker import NOT_COMPARED
from flowflare.values.events import Step

_MOST: Final = 8


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for a step, in any order."""
    if step.op == "delete":
        yield is_safe("Its files are not served any more.")
        return
    old, new = _read_manifest(step.old), _read_manifest(step.new)
    if any(path.startswith(NOT_COMPARED) for path in (*old, *new)):
        yield Reason(
            risk="unknown",
            text=f"The files in `{text_of(step.new, 'directory')}` are not compared: the commit "
            "does not have that folder, and files beside it have changed.",
        )
        return
    changed = sorted(path for path in old.keys() & new.keys() if old[path] != new[path])
    yield from _say("New files", sorted(new.keys() - old.keys()))
    yield from _say("Changed files", changed)
    yield from _say("Removed files", sorted(old.keys() - new.keys()))
    had = ", ".join(around.old.get(text_of(step.old, "script_name"), ()))
    if step.op == "update" and had:
        yield restarts(had)


def _read_manifest(props: Mapping[str, Any] | None) -> Mapping[str, str]:
    found = (props or {}).get("manifest")
    return found if isinstance(found, dict) else {}


def _say(what: str, paths: Sequence[str]) -> Iterator[Reason]:
    if paths:
        more = f" and {len(paths) - _MOST} more" if len(paths) > _MOST else ""
        yield is_safe(f"{what}: {', '.join(paths[:_MOST])}{more}.")
