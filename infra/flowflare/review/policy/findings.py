"""Define what a policy has found, as data."""

from typing import Literal

from pydantic import Field

from flowflare.model.frozen import Frozen

Severity = Literal["error", "warning"]


class PolicyFinding(Frozen):
    """A finding of one of the team's policies in one stack."""

    rule: str = Field(description="The policy's name.")
    severity: Severity = Field(description="An error stops `up`, unless it is accepted.")
    resource: str = Field(default="", description="The resource's name; empty for a whole stack.")
    place: str = Field(default="", description="File and line of the cause, if known.")
    message: str = Field(description="What is wrong.")
    remedy: str = Field(default="", description="How to correct it.")
    accepted: str | None = Field(
        default=None,
        description="The reason for accepting it, from the configuration; null if none.",
    )

    @property
    def stops(self) -> bool:
        """Whether it stops `up`."""
        return self.severity == "error" and self.accepted is None

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        about = f"{self.resource}: " if self.resource else ""
        text = f"{place}{self.severity} {self.rule}: {about}{self.message}"
        if self.accepted is not None:
            return f"{text} (accepted: {self.accepted})"
        return f"{text}\n    {self.remedy}" if self.remedy else text
