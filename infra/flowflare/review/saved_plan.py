"""Write a plan to a file, read it, and list what has changed since it was made.

Terraform refuses a saved plan if the state has another serial; Pulumi's `up --plan` compares
operations and inputs, but not the state that the run starts from. A plan's file is compared with
both: it has digests of everything that the plan depends on (`engine/plan_facts.py`).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import Final, Literal

from pydantic import Field, ValidationError

from flowflare.engine.plan_facts import Facts
from flowflare.engine.plan_key import SealedKey
from flowflare.errors import PlanError
from flowflare.model.frozen import Frozen
from flowflare.reading.files import read_bytes
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.review.document import PlanDocument
from flowflare.values.urns import name_of

FORMAT: Final = 1
_PREFIX: Final = "sha256:"
_DIGEST: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class SavedPlan(Frozen):
    """A plan with digests of everything that it depends on. It contains no secrets."""

    format: Literal[1] = Field(description="Version of this document's format.")
    flowflare: str = Field(description="The release of Flowflare that made the plan.")
    made: str = Field(description="When the plan was made, RFC 3339.")
    key: SealedKey = Field(description="The key of the digests, sealed.")
    facts: Facts = Field(description="What the plan depends on, as digests.")
    plan: PlanDocument = Field(description="The plan, as `flowflare preview --json` prints it.")

    def require_stack(self, project: str, stack: str) -> None:
        """Refuse any stack except the plan's.

        Raises:
            PlanError: the plan is another stack's.
        """
        if (self.plan.project, self.plan.stack) != (project, stack):
            raise PlanError(
                f"the plan is of stack {self.plan.project}/{self.plan.stack}, "
                f"not of {project}/{stack}",
                remedy=f"Run: flowflare up --stack {quote(self.plan.stack)} --plan ...",
            )


def make_saved_plan(key: SealedKey, facts: Facts, plan: PlanDocument) -> SavedPlan:
    """Make a saved plan of the present state."""
    return SavedPlan(
        format=FORMAT,
        flowflare=version("flowflare"),
        made=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        key=key,
        facts=facts,
        plan=plan,
    )


def write_plan(saved: SavedPlan, path: Path) -> str:
    """Write a plan to a file that only its owner may read; return the file's digest."""
    data = f"{saved.model_dump_json(indent=2, by_alias=True)}\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return _digest(data)


def read_plan(path: Path, digest: str | None) -> tuple[SavedPlan, str]:
    """Read a saved plan.

    Args:
        digest: the digest that was approved; None for any.

    Returns:
        The plan, and the file's digest.

    Raises:
        PlanError: the file is not a saved plan, or has another digest.
        OSError: the file cannot be read.
    """
    data = read_bytes(path)
    found = _digest(data)
    if digest is not None and _normalise(digest) != found:
        raise PlanError(
            f"{path} is not the approved plan: its digest is {found}, not {_normalise(digest)}",
            remedy="Apply the file that was approved, or have this one approved.",
        )
    try:
        return SavedPlan.model_validate(parse_json(data.decode())), found
    except (JsonError, UnicodeDecodeError, ValidationError):
        raise PlanError(
            f"{path} is not a plan that this release of flowflare can read",
            remedy="Make one: flowflare preview --out plan.json",
        ) from None


def list_moved(saved: SavedPlan, facts: Facts, plan: PlanDocument) -> list[str]:
    """List what has changed since a plan was saved, as sentences.

    Args:
        facts: present digests of what the plan depends on, made with the saved plan's key.
    """
    before = saved.facts
    parts = {
        "configuration": compare_digests(before.configuration, facts.configuration),
        "secrets": compare_digests(before.secrets, facts.secrets),
        "state": compare_digests(before.state, facts.state),
    }
    if before.account is not None:
        parts["account"] = compare_digests(before.account, facts.account or {})
    moved = [f"{part}: {change}" for part, changes in parts.items() for change in changes]
    declared = [f"program: {change}" for change in _compare_program(before.program, facts.program)]
    if moved and declared:
        count = f"{len(declared)} resources are" if len(declared) > 1 else "1 resource is"
        return [*moved, f"program: {count} declared otherwise, perhaps because of that"]
    # If all of that is the same, another release may still decide otherwise.
    return moved or declared or [f"plan: {change}" for change in _compare_steps(saved.plan, plan)]


def compare_digests(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each key whose digest was added, removed or changed."""
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            yield f"{_shorten(key)} was removed"
        elif key not in old:
            yield f"{_shorten(key)} was added"
        elif old[key] != new[key]:
            yield f"{_shorten(key)} was changed"


def _compare_program(
    old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for urn in sorted(old.keys() | new.keys()):
        before, after = old.get(urn, {}), new.get(urn, {})
        if urn not in new or urn not in old:
            yield f"{_shorten(urn)} is {'no longer' if urn in old else 'now'} declared"
        elif differing := sorted(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        ):
            yield f"{_shorten(urn)} is declared with other {', '.join(differing)}"


def _compare_steps(old: PlanDocument, new: PlanDocument) -> Iterator[str]:
    before = {entry.urn: entry for entry in old.resources}
    for entry in new.resources:
        known = before.pop(entry.urn, None)
        if known is None:
            yield f"{entry.name} is now {entry.op}"
        elif (known.op, known.protection) != (entry.op, entry.protection):
            yield f"{entry.name} is now {entry.op}, not {known.op}"
    yield from (f"{entry.name} does not change" for entry in before.values())
    outputs = old.outputs.keys() | new.outputs.keys()
    differing = sorted(name for name in outputs if old.outputs.get(name) != new.outputs.get(name))
    yield from (f"the output {name} is another one" for name in differing)


def _shorten(key: str) -> str:
    return name_of(key) if key.startswith("urn:") else key


def _digest(data: bytes) -> str:
    return f"{_PREFIX}{hashlib.sha256(data).hexdigest()}"


def _normalise(digest: str) -> str:
    match = _DIGEST.fullmatch(digest.strip().lower())
    return f"{_PREFIX}{match[1]}" if match else digest
