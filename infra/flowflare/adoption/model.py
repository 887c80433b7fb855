"""What an adoption found and did, as data; `flowflare adopt --json` prints it."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final, Literal

from pydantic import Field

from flowflare.kinds.adoption import Baseline, Difference, Status
from flowflare.model.frozen import Frozen

FORMAT: Final = 1


class Entry(Frozen):
    """One resource of the program, or one thing of the account that is none."""

    status: Status = Field(
        description="`found` is as the program declares it; `different` is there and is not; "
        "`missing` is made by the next `up`; `foreign` is in the account beside the stack; "
        "`managed` was in the stack's state before; `kept` stands in state alone."
    )
    resource: str = Field(description="The resource's name in the program; for `foreign` whose.")
    type: str = Field(description="Its type, the last word of the token.")
    name: str = Field(default="", description="What the account calls it.")
    differences: tuple[Difference, ...] = Field(default=(), description="Of `different`.")
    message: str = Field(default="", description="What else there is to know, a sentence.")


class Adoption(Frozen):
    """An adoption. New keys may come within a format; none changes its meaning or goes."""

    format: Literal[1] = Field(default=FORMAT, description="Version of this document's form.")
    flowflare: str = Field(
        default_factory=lambda: version("flowflare"), description="The release that made it."
    )
    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="The stack's name.")
    account: str = Field(description="The Cloudflare account.")
    dry_run: bool = Field(description="Whether nothing was written.")
    entries: tuple[Entry, ...] = Field(default=(), description="What was found, worst last.")
    names: Mapping[str, str] = Field(
        default_factory=dict,
        description="What is written into the stack's file, by key: `names.service`, `trackerTag`.",
    )
    baselines: tuple[Baseline, ...] = Field(default=(), description="Ledgers that are written.")
    notes: tuple[str, ...] = Field(
        default=(), description="What nobody can see, and what to tell whom; sentences."
    )
    refusals: tuple[str, ...] = Field(default=(), description="Why it cannot be taken over.")
    next_changes: int = Field(default=0, description="Resources that the next `up` changes.")

    @property
    def adopted(self) -> int:
        """How many resources come into state by it."""
        return sum(one.status in ("found", "different", "kept") for one in self.entries)
