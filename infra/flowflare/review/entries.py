"""What a review consists of: one entry per resource, with its changes, its risk and its price."""

from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.assessment import ChangedBinding, ClassStep, MigrationFile, Reason, Risk, worst
from flowflare.kinds.registry import find_kind
from flowflare.model.frozen import Frozen

Op = Literal["create", "update", "replace", "delete", "same"]
Protection = Literal["none", "kept", "lifted", "refused"]


class ChangedProperty(Frozen):
    """One place in a resource's inputs that changes."""

    path: str = Field(description='Its path, such as `placement.mode` or `bindings["DB"].id`.')
    kind: Literal["add", "delete", "update"] = Field(description="What happens there.")
    old: Any = Field(
        description="What was there, null where nothing was; `[secret]` for a secret, size and "
        "digest for a long text."
    )
    new: Any = Field(
        description="What will be there, in the same words; `[unknown]` for what is known only "
        "later. A secret that changes reads `[secret]` in both."
    )
    replaces: bool = Field(description="Whether it is a reason to replace the resource.")
    waits_for: tuple[str, ...] = Field(
        description="Names of the resources that an unknown value comes from."
    )


class Difference(Frozen):
    """The lines that differ in one text."""

    of: str = Field(description="Which text: a property, a module of the code, a file.")
    lines: tuple[str, ...] = Field(description="A unified diff, noise folded.")


class Entry(Frozen):
    """What `up` would do with one resource, and what that means."""

    op: Op = Field(description="`same` is nothing at all.")
    name: str = Field(description="The resource's name in the program.")
    type: str = Field(description="Its type's token.")
    urn: str = Field(description="Its URN.")
    risk: Risk = Field(description="The worst of its reasons'.")
    reasons: tuple[Reason, ...] = Field(default=(), description="What it means, worst first.")
    note: str = Field(default="", description="Why, where the changes do not show it.")
    protection: Protection = Field(
        default="none",
        description="`kept` where data is protected and stays; `lifted` where this `up` takes the "
        "protection away; `refused` where protect stops the operation.",
    )
    changes: tuple[ChangedProperty, ...] = Field(default=(), description="What differs.")
    replaces: tuple[str, ...] = Field(
        default=(), description="Properties that force the replacement."
    )
    waits_for: tuple[str, ...] = Field(
        default=(), description="Resources that values not known yet come from."
    )
    bindings_added: tuple[ChangedBinding, ...] = Field(default=(), description="New bindings.")
    bindings_dropped: tuple[ChangedBinding, ...] = Field(
        default=(), description="Bindings that the Worker loses, secrets among them."
    )
    class_migrations: tuple[ClassStep, ...] = Field(
        default=(), description="Durable Object class migrations that would be sent, in order."
    )
    migrations: tuple[MigrationFile, ...] = Field(
        default=(), description="D1 migration files that would run, in order."
    )
    api_calls: int = Field(description="Requests to Cloudflare's API that it takes.")
    differences: tuple[Difference, ...] = Field(
        default=(), description="Texts line by line; only with `--diff`."
    )

    @property
    def is_shown(self) -> bool:
        """Whether a report lists it: it changes, loses its protection, or was not compared."""
        return self.op != "same" or self.protection == "lifted" or self.risk == "unknown"

    @property
    def kind(self) -> str:
        """The last word of the type, as people say it: `D1Database`."""
        return self.type.rpartition(":")[2]

    @property
    def told_by_the_script(self) -> tuple[str, ...]:
        """Properties that reports leave out, because the script's own entry has them."""
        kind = find_kind(self.type)
        return kind.told_by_the_script if kind is not None else ()


class Calls(Frozen):
    """How many requests one operation on one type of resource takes, all resources together."""

    type: str = Field(description="The type's token.")
    op: Op = Field(description="The operation.")
    resources: int = Field(description="How many resources.")
    calls: int = Field(description="How many requests.")


class Refusal(Frozen):
    """Something that `up` would not do."""

    name: str = Field(description="The resource's name.")
    type: str = Field(description="Its type's token.")
    kind: Literal["failed", "protected", "skipped"] = Field(
        description="`protected` where protect stops it, `skipped` where what it needs failed."
    )
    reason: str = Field(description="Why.")


class Review(Frozen):
    """What an `up` would do, riskiest first.

    Resources that only group others, such as components, are not in it.
    """

    entries: tuple[Entry, ...] = Field(description="Every resource, riskiest first.")
    refusals: tuple[Refusal, ...] = Field(default=(), description="What `up` would refuse.")
    outputs: dict[str, Any] = Field(
        default_factory=dict, description="The stack's outputs as they will be."
    )

    @property
    def changed(self) -> int:
        """How many resources would change."""
        return sum(entry.op != "same" for entry in self.entries)

    @property
    def risk(self) -> Risk:
        """The worst risk of all."""
        return worst(entry.risk for entry in self.entries)

    @property
    def api_calls(self) -> int:
        """How many requests to Cloudflare's API it would take."""
        return sum(entry.api_calls for entry in self.entries)
