"""The policies about data and about the `up` itself: protection, places, losses, requests."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.schema.policies import ApiCallsConfig, LocationConfig, PolicyConfig
from flowflare.review.policy.view import Resource, Stack, Violation


def protection(stack: Stack, _wants: PolicyConfig) -> Iterator[Violation]:
    """What holds data is protected."""
    holding = {one.inputs.get("script_name") for one in stack.of_type("DurableObjectMigrations")}
    for one in stack.of_type("D1Database", "DurableObjectMigrations", "WorkersScript"):
        is_script = one.kind == "WorkersScript"
        if one.protect or (is_script and one.inputs.get("scriptName") not in holding):
            continue
        yield one.violation(
            "it holds data and is not protected: a mistake can delete it",
            remedy="Set flowflare:protect: true, or take it out of flowflare:allowDataLoss.",
            key="protect",
        )


def location(stack: Stack, wants: LocationConfig) -> Iterator[Violation]:
    """Databases lie where they may."""
    for one in stack.of_type("D1Database"):
        hint, jurisdiction = _text(one, "primaryLocationHint"), _text(one, "jurisdiction")
        if wants.jurisdictions is not None and jurisdiction not in wants.jurisdictions:
            yield one.violation(
                f"its jurisdiction is {jurisdiction or 'none'}",
                remedy=f"It must be one of: {', '.join(wants.jurisdictions)}. A database cannot "
                "move: set it before the first up.",
                key="clients",
            )
        elif wants.hints is not None and not jurisdiction and hint not in wants.hints:
            yield one.violation(
                f"its location hint is {hint or 'none'}",
                remedy=f"It must be one of: {', '.join(wants.hints)}. A database cannot move: set "
                "it before the first up.",
                key="clients",
            )


def data_loss(stack: Stack, _wants: PolicyConfig) -> Iterator[Violation]:
    """What loses data needs a second reason, beside `flowflare:allowDataLoss`."""
    for entry in stack.plan.entries if stack.plan else ():
        if entry.risk != "loses-data":
            continue
        said = next((one.text for one in entry.reasons if one.risk == "loses-data"), "")
        yield Violation(
            f"the change loses data: {said}",
            "Have somebody else write a second reason: flowflare:policies: accept: data-loss: "
            f"{entry.name}: ...",
            entry.name,
            "policies",
        )


def api_calls(stack: Stack, wants: ApiCallsConfig) -> Iterator[Violation]:
    """One `up` stays below so many requests."""
    count = stack.plan.api_calls if stack.plan else 0
    if count > wants.max:
        yield stack.violation(
            f"one up would take {count:,} requests, more than {wants.max:,}",
            remedy="Split the change, or raise the policy's max.",
            key="policies",
        )


def _text(one: Resource, key: str) -> str:
    value: Any = one.inputs.get(key)
    return value if isinstance(value, str) and not isinstance(value, Mapping) else ""
