"""What a policy has found, as data."""

from typing import Literal

from pydantic import Field

from flowflare.model.frozen import Frozen

Severity = Literal["error", "warning"]


class PolicyFinding(Frozen):
    """Something that a policy of the team has found in one stack."""

    rule: str = Field(description="The policy's name.")
    severity: Severity = Field(description="An error stops `up`, unless it is accepted.")
    resource: str = Field(default="", description="The resource's name; empty for a whole stack.")
    place: str = Field(default="", description="File and line that it comes from, where known.")
    message: str = Field(description="What is wrong.")
    remedy: str = Field(default="", description="What to write instead.")
    accepted: str | None = Field(
        default=None, description="The reason that the configuration gives for it; null if none."
    )

    @property
    def stops(self) -> bool:
        """Whether `up` must not go on."""
        return self.severity == "error" and self.accepted is None

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        about = f"{self.resource}: " if self.resource else ""
        text = f"{place}{self.severity} {self.rule}: {about}{self.message}"
        if self.accepted is not None:
            return f"{text} (accepted: {self.accepted})"
        return f"{text}\n    {self.remedy}" if self.remedy else text
