"""Define the policies about data and about `up` itself: protection, location, loss, requests."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from flowflare.kinds import d1_database, durable_object_migrations, workers_script
from flowflare.kinds.registry import KINDS
from flowflare.policies.contract import Policy, ProductionPolicy
from flowflare.policies.view import Resource, Stack, Violation


class Protection(ProductionPolicy):
    """Resources with data are protected."""

    name = "protection"

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
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


class AllowedLocation(Policy):
    """Databases are in allowed locations."""

    name = "location"
    hints: list[str] | None = Field(
        default=None, description="Location hints that a database may have; by default any."
    )
    jurisdictions: list[str] | None = Field(
        default=None, description="Jurisdictions, one of which a database must have."
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        for database in stack.of_type(d1_database.KIND.name):
            hint, jurisdiction = (
                _read_text(database, "primaryLocationHint"),
                _read_text(database, "jurisdiction"),
            )
            if self.jurisdictions is not None and jurisdiction not in self.jurisdictions:
                yield database.violation(
                    f"its jurisdiction is {jurisdiction or 'none'}",
                    remedy=f"It must be one of: {', '.join(self.jurisdictions)}. A database cannot "
                    "move: set it before the first up.",
                    key="clients",
                )
            elif self.hints is not None and not jurisdiction and hint not in self.hints:
                yield database.violation(
                    f"its location hint is {hint or 'none'}",
                    remedy=f"It must be one of: {', '.join(self.hints)}. A database cannot move: "
                    "set it before the first up.",
                    key="clients",
                )


class DataLoss(Policy):
    """A change that loses data needs a second reason, besides `flowflare:allowDataLoss`."""

    name = "data-loss"

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        for entry in stack.plan.entries if stack.plan else ():
            if entry.risk != "loses-data":
                continue
            said = next(
                (reason.text for reason in entry.reasons if reason.risk == "loses-data"), ""
            )
            yield Violation(
                f"the change loses data: {said}",
                "A second person must add another reason: flowflare:policies: accept: data-loss: "
                f"{entry.name}: ...",
                entry.name,
                "policies",
            )


class FewApiCalls(Policy):
    """One `up` makes few requests."""

    name = "api-calls"
    max: Annotated[int, Field(ge=0)] = Field(
        default=1000,
        description="The highest number of requests of one stack. Cloudflare blocks a token after "
        "1,200 requests in 5 minutes.",
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        count = stack.plan.api_calls if stack.plan else 0
        if count > self.max:
            yield stack.violation(
                f"one up would take {count:,} requests, more than {self.max:,}",
                remedy="Split the change, or raise the policy's max.",
                key="policies",
            )


def _read_text(resource: Resource, key: str) -> str:
    value: Any = resource.inputs.get(key)
    return value if isinstance(value, str) and not isinstance(value, Mapping) else ""
