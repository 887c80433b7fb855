"""Assess the effect of a plan on unfinished instances of the Workflows that it keeps."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from flowflare.kinds.assessment import Reason, Risk
from flowflare.kinds.surroundings import KeptWorkflow

if TYPE_CHECKING:
    from flowflare.replays.compare import Effect


def assess_replays(kept: KeptWorkflow) -> Iterator[Reason]:
    """Yield the effects of a replay after the plan, if the Workflow's code changes."""
    from flowflare.replays.compare import Version, compare_versions  # a parser few plans need

    old, new = kept.old, kept.new
    if old.code is None or new.code is None:
        if old != new:
            text = "the plan does not have the code of both versions"
            yield _make_reason(kept, "unknown", f"its steps are not compared: {text}.")
        return
    before, after = Version(old.code, old.class_name), Version(new.code, new.class_name)
    for found in compare_versions(before, after):
        yield _make_reason(kept, found.effect, found.text)


_RISKS: Final["Mapping[Effect, Risk]"] = {
    "replays": "changes-replays",
    "unknown": "unknown",
    "harmless": "safe",
}


def _make_reason(kept: KeptWorkflow, effect: "Effect", text: str) -> Reason:
    return Reason(risk=_RISKS[effect], text=f"Workflow `{kept.name}`: {text}")
