"""What is known of each tenant of an environment: how its last run ended, and with which inputs.

One small object for each stack in the state backend, `.flowflare/fleet/<project>/<environment>/
<tenant>.json`, so that machines that share the backend share it. No secret is in it.
"""

import contextlib
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, ValidationError

from flowflare.errors import ConflictError
from flowflare.model.frozen import Frozen
from flowflare.reading.json_text import parse_json
from flowflare.state.backends.store import ABSENT

if TYPE_CHECKING:
    from flowflare.state.backends.store import Store, Stored

FORMAT: Final = 1
Outcome = Literal["applied", "failed", "unhealthy", "running", "destroyed", "retired", "suspended"]
_FOLDER: Final = ".flowflare/fleet"
_DONE: Final = ("applied", "suspended")
_STATES: Final = ".pulumi/stacks"
_UNREADABLE: Final = "its record cannot be read"


class Fingerprint(Frozen):
    """What a stack's program depends on, as digests; equal ones make equal programs.

    Fingerprints are made by `fleet.fingerprint`. One that could not be made whole has `unknown`
    sentences, and equals none, not even itself.
    """

    digest: str = Field(description="SHA-256 of the parts, in hexadecimal.")
    parts: Mapping[str, str] = Field(
        description="Digests by part: `config`, `code`, `migrations`, `program`, `tool`; and "
        "`secrets`, which is a part of `config`: where secrets come from."
    )
    unknown: tuple[str, ...] = Field(
        default=(), description="What it depends on that cannot be known here, sentences."
    )

    def matches(self, other: "Fingerprint | None") -> bool:
        """Whether both are whole and say the same."""
        whole = other is not None and not self.unknown and not other.unknown
        return whole and other is not None and self.digest == other.digest

    def changed_parts(self, other: "Fingerprint") -> tuple[str, ...]:
        """The names of the parts that differ, in the order of their names."""
        names = sorted(self.parts.keys() | other.parts.keys())
        return tuple(one for one in names if self.parts.get(one) != other.parts.get(one))


class TenantRecord(Frozen):
    """How the last run of one tenant's stack ended."""

    stack: str = Field(description="The stack's name.")
    outcome: Outcome = Field(
        description="`running` where a run has begun and not ended: it is under way, or was killed."
    )
    fingerprint: Fingerprint | None = Field(
        default=None,
        description="Of the inputs last applied whole, or of those that a run is about to apply.",
    )
    at: str = Field(description="When, RFC 3339 in UTC.")
    seconds: float = Field(default=0.0, description="How long it took.")
    api_calls: int = Field(default=0, description="Requests to Cloudflare's API that it made.")
    error: str = Field(default="", description="Why it failed; nothing secret.")
    release: str = Field(default="", description="The release of Flowflare that ran it.")
    wave: int = Field(default=0, description="The wave that it ran in, from 1; 0 for none.")
    rollout: str = Field(default="", description="The rollout that it ran in.")
    state: str = Field(
        default="", description="The version of the state that it left; empty where not known."
    )
    elsewhere: bool = Field(
        default=False,
        exclude=True,
        description="Whether something else has written the state since, such as `pulumi up`; seen "
        "when all records are read, and not kept.",
    )

    def holds(self, fingerprint: Fingerprint) -> bool:
        """Whether these inputs are what the stack has: applied, and the same."""
        done = self.outcome in _DONE and not self.elsewhere
        return done and fingerprint.matches(self.fingerprint)


class Records:
    """The records of one environment.

    Args:
        store: the state backend.
        project: the Pulumi project's name.
        environment: the environment's name.
    """

    def __init__(self, store: "Store", project: str, environment: str) -> None:
        self._store = store
        self._project = project
        self._environment = environment
        self._folder = f"{_FOLDER}/{project}/{environment}/"
        # What was read of each stack, and what this process has put in its place.
        self._read_as: dict[str, Stored] = {}
        self._claims: dict[str, str] = {}

    def all(self, stacks: Collection[str] | None = None) -> dict[str, TenantRecord]:
        """Records by their stacks' names; one that cannot be read counts as failed.

        Args:
            stacks: whose, such as a shard's; None for all of the environment.

        Raises:
            StateError: the backend cannot be read.
        """
        wanted = None if stacks is None else {self._key(stack) for stack in stacks}
        keys = self._store.keys(self._folder)
        found = self._store.read_many([key for key in keys if wanted is None or key in wanted])
        states = self._states("") if found else {}
        records = {}
        for key, stored in sorted(found.items()):
            one = self._read(key, stored.data)
            self._read_as[one.stack] = stored
            records[one.stack] = self._seen(one, states)
        return records

    def get(self, stack: str) -> TenantRecord | None:
        """One stack's record, None where it has none.

        Raises:
            StateError: the backend cannot be read.
        """
        key = self._key(stack)
        stored = self._store.get(key)
        return None if stored is None else self._read(key, stored.data)

    def claim(self, record: TenantRecord) -> TenantRecord | None:
        """Writes that work on a stack begins, unless another run works on it or has since.

        Args:
            record: the new record.

        Returns:
            None where it is written; else the record that is there, as the other run left it.

        Raises:
            StateError: the backend cannot be read or written.
        """
        stack, before = record.stack, self._read_as.get(record.stack)
        key = self._key(stack)
        if before is not None and self._read(key, before.data).outcome == "running":
            from flowflare.state.lease import is_held

            if is_held(self._store, self._project, stack):
                return self._now(stack)
        try:
            tag = self._store.put(key, _text(record), only_if=before.tag if before else ABSENT)
        except ConflictError:
            return self._now(stack)
        self._claims[stack] = tag
        return None

    def release(self, stack: str) -> None:
        """Takes a claim back, because another run holds the stack: the record is as it was.

        Raises:
            StateError: the backend cannot be written.
        """
        tag, before = self._claims.pop(stack, None), self._read_as.get(stack)
        if tag is None:
            return
        with contextlib.suppress(ConflictError):
            if before is None:
                self._store.delete(self._key(stack), only_if=tag)
            else:
                self._store.put(self._key(stack), before.data, only_if=tag)

    def write(self, record: TenantRecord) -> None:
        """Writes a stack's record over the one before.

        Of two runs that work on a stack one after the other, the one that claimed it last tells
        how it ended: the record of the other one is left out.

        Raises:
            StateError: the backend cannot be written.
        """
        if record.outcome in _DONE and not record.state:
            state = self._states(record.stack).get(record.stack, "")
            record = record.model_copy(update={"state": state})
        stack = record.stack
        with contextlib.suppress(ConflictError):
            tag = self._store.put(self._key(stack), _text(record), only_if=self._claims.get(stack))
            if stack in self._claims:
                self._claims[stack] = tag

    def delete(self, stack: str) -> None:
        """Forgets a stack, as after its retirement.

        Raises:
            StateError: the backend cannot be written.
        """
        self._store.delete(self._key(stack))

    def _now(self, stack: str) -> TenantRecord | None:
        stored = self._store.get(self._key(stack))
        if stored is None:
            return None
        self._read_as[stack] = stored
        return self._seen(self._read(self._key(stack), stored.data), self._states(stack))

    def _states(self, stack: str) -> dict[str, str]:
        """The versions of states in the backend by stack: one stack's, or all of the project."""
        prefix = f"{_STATES}/{self._project}/"
        tags = self._store.tags(f"{prefix}{stack}", ending=(".json", ".json.gz"))
        return {
            key.removeprefix(prefix).removesuffix(".gz").removesuffix(".json"): tag
            for key, tag in sorted(tags.items())
        }

    def _seen(self, record: TenantRecord, states: Mapping[str, str]) -> TenantRecord:
        """A record with what its stack's state tells; one without a known state tells nothing."""
        if record.outcome not in _DONE or not record.state:
            return record
        elsewhere = states.get(record.stack) != record.state
        return record.model_copy(update={"elsewhere": elsewhere})

    def _key(self, stack: str) -> str:
        return f"{self._folder}{stack.removesuffix(f'-{self._environment}')}.json"

    def _read(self, key: str, data: bytes) -> TenantRecord:
        tenant = key.removeprefix(self._folder).removesuffix(".json")
        stack = f"{tenant}-{self._environment}"
        try:
            raw: dict[str, Any] = parse_json(data)
            if raw.pop("format") != FORMAT or raw["stack"] != stack:
                return _unreadable(stack)
            return TenantRecord.model_validate(raw)
        except (ValueError, ValidationError, KeyError, AttributeError, TypeError):
            return _unreadable(stack)


def _text(record: TenantRecord) -> bytes:
    document = {"format": FORMAT, **record.model_dump(mode="json")}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _unreadable(stack: str) -> TenantRecord:
    return TenantRecord(stack=stack, outcome="failed", at="", error=_UNREADABLE)
