"""The result of reviewing an operation: its risk, the reasons, and details for a report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from flowflare.model.frozen import Frozen

Risk = Literal["safe", "restarts", "changes-replays", "unknown", "loses-data"]

#: The risks, worst first. `unknown`: something could not be compared, so it may lose data too.
RISKS: tuple[Risk, ...] = ("loses-data", "unknown", "changes-replays", "restarts", "safe")


def worst(risks: Iterable[Risk]) -> Risk:
    """Return the worst of the risks; `safe` if there are none."""
    return min(risks, key=RISKS.index, default="safe")


class Reason(Frozen):
    """One sentence about an operation, and the risk for which it is a reason."""

    risk: Risk = Field(description="How bad it is.")
    text: str = Field(description="The sentence.")


class ChangedBinding(Frozen):
    """A binding of a Worker that is added or dropped."""

    name: str = Field(description="The binding's name.")
    type: str = Field(description="Its type in Cloudflare's API, such as `d1` or `secret_text`.")


class ClassStep(Frozen):
    """A Durable Object class migration that would be sent."""

    tag: str = Field(description="The step's tag.")
    new_sqlite_classes: tuple[str, ...] = Field(default=(), description="Classes that begin.")
    renamed_classes: tuple[str, ...] = Field(
        default=(), description="Classes that get another name, as `Old -> New`."
    )
    deleted_classes: tuple[str, ...] = Field(
        default=(), description="Classes that end; their objects' data is lost."
    )
    transferred_classes: tuple[str, ...] = Field(
        default=(), description="Classes that come from another script, as `script.Old -> New`."
    )


class LintFinding(Frozen):
    """A finding of the linter in a migration file."""

    rule: str = Field(description="The rule's name.")
    severity: Literal["error", "warning"] = Field(description="An error stops `up`.")
    line: int = Field(description="Line in the file, from 1.")
    message: str = Field(description="What is wrong.")
    remedy: str = Field(description="What to write instead.")
    accepted: str | None = Field(description="The reason that the file gives for it; null if none.")


class MigrationFile(Frozen):
    """A D1 migration file that would run."""

    name: str = Field(description="The file's name.")
    bytes: int = Field(description="Its size.")
    sha256: str = Field(description="Digest of its SQL.")
    findings: tuple[LintFinding, ...] = Field(default=(), description="What the linter found.")


@dataclass(frozen=True)
class Details:
    """The details of an operation in a report, besides its changed properties.

    Attributes:
        bindings_added: bindings that the Worker gets.
        bindings_dropped: bindings that it loses.
        class_migrations: Durable Object class migrations that would be sent.
        migrations: D1 migration files that would run.
        texts: strings that are completely new, by their names.
    """

    bindings_added: tuple[ChangedBinding, ...] = ()
    bindings_dropped: tuple[ChangedBinding, ...] = ()
    class_migrations: tuple[ClassStep, ...] = ()
    migrations: tuple[MigrationFile, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)


def loses_data(text: str) -> Reason:
    """Make a reason from a sentence about lost data."""
    return Reason(risk="loses-data", text=text)


def is_safe(text: str) -> Reason:
    """Make a reason from a note about an operation that loses nothing."""
    return Reason(risk="safe", text=text)


def restarts(classes: str) -> Reason:
    """Make the reason that an upload restarts Durable Objects.

    Source: developers.cloudflare.com/durable-objects/platform/known-issues, code updates.
    """
    text = (
        f"The upload restarts the Durable Objects of {classes}: open connections and what they "
        "hold in memory end, their storage stays."
    )
    return Reason(risk="restarts", text=text)


def text_of(props: Mapping[str, Any] | None, key: str) -> str:
    """Return a property of a step as text; empty if it is missing."""
    return str((props or {}).get(key) or "")
