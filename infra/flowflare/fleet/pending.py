"""Tells which tenants' stacks are not what their files say; no call, no secret, no program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowflare.fleet.fingerprint.fingerprints import fingerprints
from flowflare.fleet.records import Fingerprint, TenantRecord
from flowflare.render.node import Progress

_PARTS = {
    "config": "configuration",
    "code": "code of Workers",
    "migrations": "migrations",
    "program": "program",
    "tool": "release of Flowflare or Pulumi",
    "secrets": "secrets",
}


@dataclass(frozen=True)
class Pending:
    """What there is to do.

    Attributes:
        stacks: stacks that need an `up`, in the order in which they were asked about.
        unchanged: stacks whose inputs are those last applied.
        why: for each pending stack, what makes it so: a few words.
        fingerprints: of all of them, as their files are now.
    """

    stacks: tuple[str, ...]
    unchanged: tuple[str, ...]
    why: Mapping[str, str]
    fingerprints: Mapping[str, Fingerprint]


def pending(
    root: Path,
    stacks: Sequence[str],
    records: Mapping[str, TenantRecord],
    environ: Mapping[str, str],
    on_progress: Progress | None = None,
) -> Pending:
    """Compares stacks' files with what was last applied.

    Args:
        root: the project's folder.
        stacks: the stacks.
        records: what is known of them (`Records.all`).
        environ: the environment that their programs would run in.
        on_progress: is told what takes long.

    Raises:
        NodeError: a Worker has changed and must be bundled, and Node cannot run.
    """
    found = fingerprints(root, stacks, environ, on_progress)
    why = {stack: reason(found[stack], records.get(stack)) for stack in stacks}
    return Pending(
        stacks=tuple(stack for stack in stacks if why[stack]),
        unchanged=tuple(stack for stack in stacks if not why[stack]),
        why={stack: text for stack, text in why.items() if text},
        fingerprints=found,
    )


def reason(now: Fingerprint, record: TenantRecord | None) -> str:
    """Why a stack is pending, in a few words; empty where it is not."""
    if record is None:
        return "never applied"
    if record.outcome not in ("applied", "suspended"):
        return "interrupted" if record.outcome == "running" else record.outcome
    if record.elsewhere:
        return "its state was written by something else since"
    return "" if record.holds(now) else _difference(now, record.fingerprint)


def _difference(now: Fingerprint, before: Fingerprint | None) -> str:
    if now.unknown:
        more = f" (and {len(now.unknown) - 1} more)" if len(now.unknown) > 1 else ""
        return f"cannot be told: {now.unknown[0]}{more}"
    if before is None or before.unknown:
        return "what was applied is not known"
    return f"changed: {', '.join(_PARTS.get(one, one) for one in now.changed_parts(before))}"
