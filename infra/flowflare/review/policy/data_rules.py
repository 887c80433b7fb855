"""Define the policies about data and about `up` itself: protection, location, loss, requests."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.schema.policies import ApiCallsConfig, LocationConfig, PolicyConfig
from flowflare.kinds import d1_database, durable_object_migrations, workers_script
from flowflare.kinds.registry import KINDS
from flowflare.review.policy.view import Resource, Stack, Violation


def check_protection(stack: Stack, _wants: PolicyConfig) -> Iterator[Violation]:
    """Resources that hold data must be protected."""
    classes, script = durable_object_migrations.KIND.name, workers_script.KIND.name
    holding = {resource.inputs.get("script_name") for resource in stack.of_type(classes)}
    for resource in stack.of_type(*(kind.name for kind in KINDS if kind.holds_data)):
        is_script = resource.kind == script
        if resource.protect or (is_script and resource.inputs.get("scriptName") not in holding):
            continue
        yield resource.violation(
            "it holds data and is not protected: a mistake can delete it",
            remedy="Set flowflare:protect: true, or remove it from flowflare:allowDataLoss.",
            key="protect",
        )


def check_location(stack: Stack, wants: LocationConfig) -> Iterator[Violation]:
    """Databases must be in allowed locations."""
    for database in stack.of_type(d1_database.KIND.name):
        hint, jurisdiction = (
            _read_text(database, "primaryLocationHint"),
            _read_text(database, "jurisdiction"),
        )
        if wants.jurisdictions is not None and jurisdiction not in wants.jurisdictions:
            yield database.violation(
                f"its jurisdiction is {jurisdiction or 'none'}",
                remedy=f"It must be one of: {', '.join(wants.jurisdictions)}. A database cannot "
                "move: set it before the first up.",
                key="clients",
            )
        elif wants.hints is not None and not jurisdiction and hint not in wants.hints:
            yield database.violation(
                f"its location hint is {hint or 'none'}",
                remedy=f"It must be one of: {', '.join(wants.hints)}. A database cannot move: set "
                "it before the first up.",
                key="clients",
            )


def check_data_loss(stack: Stack, _wants: PolicyConfig) -> Iterator[Violation]:
    """A change that loses data needs a second reason, besides `flowflare:allowDataLoss`."""
    for entry in stack.plan.entries if stack.plan else ():
        if entry.risk != "loses-data":
            continue
        said = next((reason.text for reason in entry.reasons if reason.risk == "loses-data"), "")
        yield Violation(
            f"the change loses data: {said}",
            "A second person must add another reason: flowflare:policies: accept: data-loss: "
            f"{entry.name}: ...",
            entry.name,
            "policies",
        )


def check_api_calls(stack: Stack, wants: ApiCallsConfig) -> Iterator[Violation]:
    """One `up` must not take more than the allowed number of requests."""
    count = stack.plan.api_calls if stack.plan else 0
    if count > wants.max:
        yield stack.violation(
            f"one up would take {count:,} requests, more than {wants.max:,}",
            remedy="Split the change, or raise the policy's max.",
            key="policies",
        )


def _read_text(resource: Resource, key: str) -> str:
    value: Any = resource.inputs.get(key)
    return value if isinstance(value, str) and not isinstance(value, Mapping) else ""
