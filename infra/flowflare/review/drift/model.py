"""Model what has drifted: one finding for each difference between state and account.

`flowflare drift --json` prints it; `flowflare schema drift` prints its JSON Schema.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from flowflare.config.engine import EngineName
from flowflare.kinds.drifted import Drifted, Unknown
from flowflare.model.frozen import Frozen

FORMAT: Final = 1
Result = Literal["same", "drifted", "unknown"]


class StackDrift(Frozen):
    """The drift of one stack."""

    stack: str = Field(description="The stack's name.")
    engine: EngineName = Field(description="The engine whose state it is.")
    resources: int = Field(description="Resources of the state that were compared.")
    api_calls: int = Field(
        description="Requests for this stack. A list that several stacks share counts only for the "
        "stack that read it first."
    )
    findings: tuple[Drifted, ...] = Field(default=(), description="What differs, worst first.")
    unknown: tuple[Unknown, ...] = Field(
        default=(),
        description="What could not be compared in this run. The stack's result is `unknown` "
        "unless all of it is allowed.",
    )
    unseen: tuple[str, ...] = Field(
        default=(), description="Sentences about what can never be compared, such as secret values."
    )
    error: str = Field(default="", description="Why the stack could not be compared.")
    result: Result = Field(
        default="same",
        description="`unknown`: something could not be compared, whatever else was found; "
        "`drifted`: something differs; `same`: everything that was compared matches the state.",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_result(cls, values: Any) -> Any:
        """Derive the result from the other fields, so that it cannot contradict them."""
        unknown = [_is_allowed(item) for item in values.get("unknown", ())]
        uncertain = bool(values.get("error")) or not all(unknown)
        found = "drifted" if values.get("findings") else "same"
        return {**values, "result": "unknown" if uncertain else found}


class DriftDocument(Frozen):
    """The drift of all stacks.

    New keys may be added within a format. Existing keys are not removed and keep their meaning.
    """

    format: Literal[1] = Field(description="Version of this document's format.")
    flowflare: str = Field(description="The release of Flowflare that made the document.")
    project: str = Field(description="The Pulumi project's name.")
    exit_code: Literal[0, 1, 2] = Field(
        description="Exit code: 0 nothing has drifted; 1 something could not be compared, with or "
        "without `--exit-code`; 2 something has drifted and everything was compared, only with "
        "`--exit-code`."
    )
    api_calls: int = Field(description="Requests of the whole run.")
    stacks: tuple[StackDrift, ...] = Field(description="The stacks, sorted by name.")


def _is_allowed(item: Any) -> bool:
    """Return whether something unknown is allowed. It may still be raw JSON instead of a model."""
    return bool(item.allowed if isinstance(item, Unknown) else item.get("allowed"))


def make_document(project: str, stacks: Sequence[StackDrift]) -> DriftDocument:
    """Make the document of a run."""
    results = {stack.result for stack in stacks}
    return DriftDocument(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=project,
        exit_code=1 if "unknown" in results else 2 if "drifted" in results else 0,
        api_calls=sum(stack.api_calls for stack in stacks),
        stacks=tuple(sorted(stacks, key=lambda stack: stack.stack)),
    )
