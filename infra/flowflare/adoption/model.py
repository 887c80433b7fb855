"""Model what an adoption found and did; `flowflare adopt --json` prints it."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final, Literal

from pydantic import Field

from flowflare.kinds.adoption import Baseline, Difference, Status
from flowflare.model.frozen import Frozen

FORMAT: Final = 1


class Entry(Frozen):
    """A resource of the program, or something else that the account has."""

    status: Status = Field(
        description="`found`: matches the program; `different`: exists with other settings; "
        "`missing`: the next `up` creates it; `foreign`: exists in the account, but is not part of "
        "the stack; `managed`: was in the stack's state before; `kept`: exists only in state."
    )
    resource: str = Field(
        description="The resource's name in the program; for `foreign`, the resource it belongs to."
    )
    type: str = Field(description="The last part of its type token.")
    name: str = Field(default="", description="Its name in the account.")
    differences: tuple[Difference, ...] = Field(
        default=(), description="The differences of `different`."
    )
    message: str = Field(default="", description="A sentence with further information.")


class Adoption(Frozen):
    """An adoption.

    New keys may be added within a format. Existing keys are not removed and keep their meaning.
    """

    format: Literal[1] = Field(default=FORMAT, description="Version of this document's format.")
    flowflare: str = Field(
        default_factory=lambda: version("flowflare"),
        description="The release that made the document.",
    )
    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="The stack's name.")
    account: str = Field(description="The Cloudflare account.")
    dry_run: bool = Field(description="Whether nothing was written.")
    entries: tuple[Entry, ...] = Field(default=(), description="What was found, by status.")
    names: Mapping[str, str] = Field(
        default_factory=dict,
        description="What is written into the stack's file, by key: `names.service`, `trackerTag`.",
    )
    baselines: tuple[Baseline, ...] = Field(
        default=(), description="Ledgers of D1 migrations that are written."
    )
    notes: tuple[str, ...] = Field(
        default=(), description="Sentences about what cannot be read, and who must be informed."
    )
    refusals: tuple[str, ...] = Field(default=(), description="Why it cannot be adopted.")
    next_changes: int = Field(default=0, description="Resources that the next `up` changes.")

    @property
    def adopted_count(self) -> int:
        """How many resources are added to the state."""
        return sum(entry.status in ("found", "different", "kept") for entry in self.entries)
