"""Find the stacks whose files have changed since they were last applied.

No API is called, no secret is decrypted, and no program is run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowflare.config.stacks import StackReader
from flowflare.fleet.fingerprint.fingerprints import make_fingerprints
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
class PendingStacks:
    """Which stacks need an `up`.

    Attributes:
        stacks: stacks that need an `up`, in the given order.
        unchanged: stacks whose inputs are the same as those that were last applied.
        why: the reason for each pending stack, in a few words.
        fingerprints: the fingerprints of all stacks, from their files as they are now.
    """

    stacks: tuple[str, ...]
    unchanged: tuple[str, ...]
    why: Mapping[str, str]
    fingerprints: Mapping[str, Fingerprint]


def find_pending(
    reader: StackReader,
    stacks: Sequence[str],
    records: Mapping[str, TenantRecord],
    environ: Mapping[str, str],
    on_progress: Progress | None = None,
) -> PendingStacks:
    """Compare the files of stacks with what was last applied.

    Args:
        environ: the environment variables that their programs would run with.
        on_progress: is called before slow work.

    Raises:
        NodeError: a Worker has changed and must be bundled, but Node cannot run.
    """
    found = make_fingerprints(reader, stacks, environ, on_progress)
    why = {stack: explain(found[stack], records.get(stack)) for stack in stacks}
    return PendingStacks(
        stacks=tuple(stack for stack in stacks if why[stack]),
        unchanged=tuple(stack for stack in stacks if not why[stack]),
        why={stack: text for stack, text in why.items() if text},
        fingerprints=found,
    )


def explain(now: Fingerprint, record: TenantRecord | None) -> str:
    """Explain in a few words why a stack is pending; empty if it is not."""
    if record is None:
        return "never applied"
    if record.outcome not in ("applied", "suspended"):
        return "interrupted" if record.outcome == "running" else record.outcome
    if record.elsewhere:
        return "its state was changed outside `flowflare fleet`"
    return "" if record.holds(now) else _explain_difference(now, record.fingerprint)


def _explain_difference(now: Fingerprint, before: Fingerprint | None) -> str:
    if now.unknown:
        more = f" (and {len(now.unknown) - 1} more)" if len(now.unknown) > 1 else ""
        return f"unknown: {now.unknown[0]}{more}"
    if before is None or before.unknown:
        return "the inputs of the last run are unknown"
    return f"changed: {', '.join(_PARTS.get(part, part) for part in now.changed_parts(before))}"
