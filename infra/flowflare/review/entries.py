"""Define what a review consists of: one entry per resource, with changes, risk and API calls."""

from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.assessment import ChangedBinding, ClassStep, MigrationFile, Reason, Risk, worst
from flowflare.kinds.registry import find_kind
from flowflare.model.frozen import Frozen

Op = Literal["create", "update", "replace", "delete", "same"]
Protection = Literal["none", "kept", "lifted", "refused"]


class ChangedProperty(Frozen):
    """One property of a resource that changes."""

    path: str = Field(description='The path, such as `placement.mode` or `bindings["DB"].id`.')
    kind: Literal["add", "delete", "update"] = Field(description="How the property changes.")
    old: Any = Field(
        description="The old value, null if there was none; `[secret]` for a secret, size and "
        "digest for a long text."
    )
    new: Any = Field(
        description="The new value, in the same form; `[unknown]` if it is not known before `up`. "
        "A secret that changes is `[secret]` in both."
    )
    replaces: bool = Field(description="Whether the change forces a replacement of the resource.")
    waits_for: tuple[str, ...] = Field(
        description="Names of the resources that an unknown value depends on."
    )


class Difference(Frozen):
    """The lines that differ in one text."""

    of: str = Field(description="The text: a property, a module of the code, a file.")
    lines: tuple[str, ...] = Field(description="A unified diff; long parts are cut.")


class Entry(Frozen):
    """What `up` would do with one resource, and what that means."""

    op: Op = Field(description="The operation; `same` if nothing changes.")
    name: str = Field(description="The resource's name in the program.")
    type: str = Field(description="The resource's type token.")
    urn: str = Field(description="The resource's URN.")
    risk: Risk = Field(description="The worst risk of all reasons.")
    reasons: tuple[Reason, ...] = Field(default=(), description="What it means, worst first.")
    note: str = Field(default="", description="The cause, if the changes do not show it.")
    protection: Protection = Field(
        default="none",
        description="`kept`: the resource stays protected; `lifted`: this `up` removes the "
        "protection; `refused`: the protection stops the operation.",
    )
    changes: tuple[ChangedProperty, ...] = Field(default=(), description="What differs.")
    replaces: tuple[str, ...] = Field(
        default=(), description="Properties that force the replacement."
    )
    waits_for: tuple[str, ...] = Field(
        default=(), description="Resources that unknown values depend on."
    )
    bindings_added: tuple[ChangedBinding, ...] = Field(default=(), description="New bindings.")
    bindings_dropped: tuple[ChangedBinding, ...] = Field(
        default=(), description="Bindings that the Worker loses, including secrets."
    )
    class_migrations: tuple[ClassStep, ...] = Field(
        default=(), description="Durable Object class migrations that would be sent, in order."
    )
    migrations: tuple[MigrationFile, ...] = Field(
        default=(), description="D1 migration files that would run, in order."
    )
    api_calls: int = Field(description="Requests to Cloudflare's API for this resource.")
    differences: tuple[Difference, ...] = Field(
        default=(), description="Changed texts line by line; only with `--diff`."
    )

    @property
    def is_shown(self) -> bool:
        """Whether reports list it: it changes, loses its protection, or could not be compared."""
        return self.op != "same" or self.protection == "lifted" or self.risk == "unknown"

    @property
    def kind(self) -> str:
        """The last part of the type token: `D1Database`."""
        return self.type.rpartition(":")[2]

    @property
    def told_by_the_script(self) -> tuple[str, ...]:
        """Properties that reports skip, because the script's own entry shows them."""
        kind = find_kind(self.type)
        return kind.told_by_the_script if kind is not None else ()


class Calls(Frozen):
    """How many requests one operation takes for all resources of one type."""

    type: str = Field(description="The type token.")
    op: Op = Field(description="The operation.")
    resources: int = Field(description="How many resources.")
    calls: int = Field(description="How many requests.")


class Refusal(Frozen):
    """An operation that `up` would refuse."""

    name: str = Field(description="The resource's name.")
    type: str = Field(description="The resource's type token.")
    kind: Literal["failed", "protected", "skipped"] = Field(
        description="`protected`: protection stops it; `skipped`: a resource that it needs failed."
    )
    reason: str = Field(description="The reason.")


class Review(Frozen):
    """What `up` would do, riskiest first.

    Resources that only group others, such as components, are not listed.
    """

    entries: tuple[Entry, ...] = Field(description="Every resource, riskiest first.")
    refusals: tuple[Refusal, ...] = Field(default=(), description="What `up` would refuse.")
    outputs: dict[str, Any] = Field(
        default_factory=dict, description="The stack's outputs after `up`."
    )

    @property
    def changed(self) -> int:
        """How many resources would change."""
        return sum(entry.op != "same" for entry in self.entries)

    @property
    def risk(self) -> Risk:
        """The worst risk of all resources."""
        return worst(entry.risk for entry in self.entries)

    @property
    def api_calls(self) -> int:
        """How many requests to Cloudflare's API `up` would take."""
        return sum(entry.api_calls for entry in self.entries)
