"""A review as a JSON document, for `--json`; `flowflare schema plan` prints its schema."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from flowflare.kinds.assessment import Risk
from flowflare.model.frozen import Frozen
from flowflare.review.calls import summed
from flowflare.review.entries import Calls, Entry, Refusal, Review
from flowflare.review.policy.findings import PolicyFinding

VERSION: Final = 1


class Document(Frozen):
    """What an `up` of one stack would do.

    New keys may come within a version; none changes its meaning or goes.
    """

    version: Literal[1] = Field(description="Version of this document's form.")
    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="The Pulumi stack's name.")
    changed: int = Field(description="How many resources would change.")
    risk: Risk = Field(description="The worst risk of all.")
    api_calls: int = Field(
        description="Requests to Cloudflare's API that it takes while nothing fails."
    )
    calls: tuple[Calls, ...] = Field(description="The same by type and operation.")
    resources: tuple[Entry, ...] = Field(description="Every resource, riskiest first.")
    refusals: tuple[Refusal, ...] = Field(description="What `up` would refuse.")
    policy: tuple[PolicyFinding, ...] = Field(
        default=(), description="What the team's policies have found, what stops `up` first."
    )
    outputs: dict[str, Any] = Field(
        description="The stack's outputs as they will be; `[secret]` and `[unknown]` in place."
    )


def document(
    review: Review, *, project: str, stack: str, policy: Sequence[PolicyFinding] = ()
) -> dict[str, Any]:
    """The document as JSON values.

    Args:
        review: the review.
        project: the project's name.
        stack: the stack's name.
        policy: what policies have found.
    """
    made = Document(
        version=VERSION,
        project=project,
        stack=stack,
        changed=review.changed,
        risk=review.risk,
        api_calls=review.api_calls,
        calls=summed(review.entries),
        resources=review.entries,
        refusals=review.refusals,
        policy=tuple(policy),
        outputs=review.outputs,
    )
    return made.model_dump(mode="json")


def json_schema() -> dict[str, Any]:
    """The document's JSON Schema."""
    return schema_of(Document, "flowflare preview --json")


def schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The JSON Schema of what a command prints: the model's, under the command's name."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    schema = model.model_json_schema(mode="serialization")
    body: dict[str, Any] = _without_noise({**schema, "title": title})
    return head | body


def _without_noise(schema: Any) -> Any:
    """The schema without generated titles, and open for keys to come."""
    if isinstance(schema, list):
        return [_without_noise(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    noise = ("additionalProperties", "title")
    return {
        key: _without_noise(value)
        for key, value in schema.items()
        if key not in noise or not isinstance(value, str | bool)
    }
