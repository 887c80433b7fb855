"""Print a review as a JSON document for `--json`; `flowflare schema plan` prints its schema."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import Field

from flowflare.kinds.assessment import Risk
from flowflare.model.frozen import Frozen
from flowflare.review.calls import sum_calls
from flowflare.review.entries import Calls, Entry, Refusal, Review
from flowflare.review.policy.findings import PolicyFinding

VERSION: Final = 1


class PlanDocument(Frozen):
    """What `up` of one stack would do.

    New keys may be added within a version. Existing keys are not removed and keep their meaning.
    """

    version: Literal[1] = Field(description="Version of this document's format.")
    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="The Pulumi stack's name.")
    changed: int = Field(description="How many resources would change.")
    risk: Risk = Field(description="The worst risk of all resources.")
    api_calls: int = Field(description="Requests to Cloudflare's API if no request fails.")
    calls: tuple[Calls, ...] = Field(description="Requests by type and operation.")
    resources: tuple[Entry, ...] = Field(description="Every resource, riskiest first.")
    refusals: tuple[Refusal, ...] = Field(description="What `up` would refuse.")
    policy: tuple[PolicyFinding, ...] = Field(
        default=(), description="Findings of the team's policies; those that stop `up` come first."
    )
    outputs: dict[str, Any] = Field(
        description="The stack's outputs after `up`; `[secret]` and `[unknown]` are placeholders."
    )


def make_document(
    review: Review, *, project: str, stack: str, policy: Sequence[PolicyFinding] = ()
) -> dict[str, Any]:
    """Return the document as JSON values; the arguments are those of `describe_plan`."""
    found = describe_plan(review, project=project, stack=stack, policy=policy)
    return found.model_dump(mode="json")


def describe_plan(
    review: Review, *, project: str, stack: str, policy: Sequence[PolicyFinding] = ()
) -> PlanDocument:
    """Make the document.

    Args:
        policy: the findings of policies.
    """
    return PlanDocument(
        version=VERSION,
        project=project,
        stack=stack,
        changed=review.changed,
        risk=review.risk,
        api_calls=review.api_calls,
        calls=sum_calls(review.entries),
        resources=review.entries,
        refusals=review.refusals,
        policy=tuple(policy),
        outputs=review.outputs,
    )
