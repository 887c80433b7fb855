"""What has drifted, as data: one finding for each thing that state and account see differently.

`flowflare drift --json` prints it; `flowflare schema drift` prints its JSON Schema.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from flowflare.config.engine import EngineName
from flowflare.kinds.drifted import Drifted, Unknown
from flowflare.model.frozen import Frozen
from flowflare.review.document import schema_of

FORMAT: Final = 1
Result = Literal["same", "drifted", "unknown"]


class StackDrift(Frozen):
    """What has drifted in one stack."""

    stack: str = Field(description="The stack's name.")
    engine: EngineName = Field(description="Whose state it is.")
    resources: int = Field(description="Resources of the state that were looked for.")
    api_calls: int = Field(
        description="Requests that it took; a list that another stack has asked for counts there."
    )
    findings: tuple[Drifted, ...] = Field(default=(), description="What differs, worst first.")
    unknown: tuple[Unknown, ...] = Field(
        default=(),
        description="What this run could not compare. If any of it is not allowed, the stack's "
        "result is `unknown`.",
    )
    unseen: tuple[str, ...] = Field(
        default=(), description="What no run can compare, such as secrets' values; sentences."
    )
    error: str = Field(default="", description="Why the stack could not be looked at.")
    result: Result = Field(
        default="same",
        description="`unknown`: something could not be compared, whatever else was found; "
        "`drifted`: something differs; `same`: all that was compared is as state has it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_result(cls, values: Any) -> Any:
        """Derive the result, so that it never says another thing than the rest."""
        unknown = [_allowed(one) for one in values.get("unknown", ())]
        uncertain = bool(values.get("error")) or not all(unknown)
        found = "drifted" if values.get("findings") else "same"
        return {**values, "result": "unknown" if uncertain else found}


class Document(Frozen):
    """What has drifted. New keys may come within a format; none changes its meaning or goes."""

    format: Literal[1] = Field(description="Version of this document's form.")
    flowflare: str = Field(description="The release of Flowflare that made it.")
    project: str = Field(description="The Pulumi project's name.")
    exit_code: Literal[0, 1, 2] = Field(
        description="0 nothing has drifted; 1 something could not be compared: the command ends "
        "with it in any case; 2 something has drifted, and all was compared: of `--exit-code`."
    )
    api_calls: int = Field(description="Requests that it took in all.")
    stacks: tuple[StackDrift, ...] = Field(description="The stacks, in the order of their names.")


def _allowed(one: Any) -> bool:
    """Whether something unknown is accepted; its fields may not have been read yet."""
    return bool(one.allowed if isinstance(one, Unknown) else one.get("allowed"))


def document(project: str, stacks: Sequence[StackDrift]) -> Document:
    """The document of a run.

    Args:
        project: the project's name.
        stacks: what was found in each stack.
    """
    results = {one.result for one in stacks}
    return Document(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=project,
        exit_code=1 if "unknown" in results else 2 if "drifted" in results else 0,
        api_calls=sum(one.api_calls for one in stacks),
        stacks=tuple(sorted(stacks, key=lambda one: one.stack)),
    )


def json_schema() -> dict[str, Any]:
    """The document's JSON Schema."""
    return schema_of(Document, "flowflare drift --json")
