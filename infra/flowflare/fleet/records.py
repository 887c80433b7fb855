"""Record how the last run of each tenant of an environment ended, and with which inputs.

Each stack has one small object in the state backend, `.flowflare/fleet/<project>/<environment>/
<tenant>.json`, so machines that share the backend share the records. They contain no secrets.
"""

import contextlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from flowflare.errors import ConflictError
from flowflare.model.frozen import Frozen
from flowflare.reading.json_text import parse_json
from flowflare.state.backends.store import ABSENT, Store, StoredObject
from flowflare.state.lease import is_held

FORMAT: Final = 1
Outcome = Literal["applied", "failed", "unhealthy", "running", "destroyed", "retired", "suspended"]
_FOLDER: Final = ".flowflare/fleet"
_DONE: Final = ("applied", "suspended")
_STATES: Final = ".pulumi/stacks"
_UNREADABLE: Final = "its record cannot be read"


class Fingerprint(Frozen):
    """Digests of everything that a stack's program depends on.

    Programs with equal fingerprints give equal results. `fleet.fingerprint` makes fingerprints. An
    incomplete fingerprint lists what is `unknown`, and matches no fingerprint, not even itself.
    """

    digest: str = Field(description="SHA-256 of the parts, in hexadecimal.")
    parts: Mapping[str, str] = Field(
        description="Digests by part: `config`, `code`, `migrations`, `program`, `tool`; and "
        "`secrets`, the part of `config` that names the sources of secrets."
    )
    unknown: tuple[str, ...] = Field(
        default=(), description="Inputs that cannot be read here, as sentences."
    )

    def matches(self, other: "Fingerprint | None") -> bool:
        """Return whether both fingerprints are complete and equal."""
        whole = other is not None and not self.unknown and not other.unknown
        return whole and other is not None and self.digest == other.digest

    def changed_parts(self, other: "Fingerprint") -> tuple[str, ...]:
        """List the names of the parts that differ, in alphabetical order."""
        names = sorted(self.parts.keys() | other.parts.keys())
        return tuple(name for name in names if self.parts.get(name) != other.parts.get(name))


class TenantRecord(Frozen):
    """How the last run of one tenant's stack ended."""

    stack: str = Field(description="The stack's name.")
    outcome: Outcome = Field(
        description="`running` if a run began and has not ended: it is in progress, or was killed."
    )
    fingerprint: Fingerprint | None = Field(
        default=None,
        description="The fingerprint of the inputs that were last applied completely, or that a "
        "run is about to apply.",
    )
    at: str = Field(description="When the run ended or began, RFC 3339 in UTC.")
    seconds: float = Field(default=0.0, description="How long the run took.")
    api_calls: int = Field(default=0, description="Requests to Cloudflare's API by the run.")
    error: str = Field(default="", description="Why the run failed, without secrets.")
    release: str = Field(default="", description="The release of Flowflare of the run.")
    wave: int = Field(default=0, description="The wave of the run, from 1; 0 without a wave.")
    rollout: str = Field(default="", description="The rollout of the run.")
    state: str = Field(
        default="", description="The version of the state after the run; empty if unknown."
    )
    elsewhere: bool = Field(
        default=False,
        exclude=True,
        description="Whether something else has written the state since, such as `pulumi up`; "
        "computed when records are read, and not stored.",
    )

    def holds(self, fingerprint: Fingerprint) -> bool:
        """Return whether the stack was applied with these inputs and has not changed since."""
        done = self.outcome in _DONE and not self.elsewhere
        return done and fingerprint.matches(self.fingerprint)


class TenantRecords:
    """Read and write the records of one environment."""

    def __init__(self, store: Store, project: str, environment: str) -> None:
        self._store = store
        self._project = project
        self._environment = environment
        self._folder = f"{_FOLDER}/{project}/{environment}/"
        # What was read for each stack, and the tags of what this process wrote over it.
        self._read_as: dict[str, StoredObject] = {}
        self._claims: dict[str, str] = {}

    def read_all(self, stacks: Collection[str] | None = None) -> dict[str, TenantRecord]:
        """Read records by stack name; a record that cannot be read counts as failed.

        Args:
            stacks: the stacks, such as those of a shard; None for all of the environment.

        Raises:
            StateError: the backend cannot be read.
        """
        wanted = None if stacks is None else {self._key(stack) for stack in stacks}
        keys = self._store.keys(self._folder)
        found = self._store.read_many([key for key in keys if wanted is None or key in wanted])
        states = self._state_versions("") if found else {}
        records = {}
        for key, stored in sorted(found.items()):
            record = self._read(key, stored.data)
            self._read_as[record.stack] = stored
            records[record.stack] = self._compare_state(record, states)
        return records

    def get(self, stack: str) -> TenantRecord | None:
        """Read one stack's record; None if it has none.

        Raises:
            StateError: the backend cannot be read.
        """
        key = self._key(stack)
        stored = self._store.get(key)
        return None if stored is None else self._read(key, stored.data)

    def claim(self, record: TenantRecord) -> TenantRecord | None:
        """Record that a run on a stack begins, unless another run works on it or has since.

        Returns:
            None if the record was written; otherwise the record that the other run wrote.

        Raises:
            StateError: the backend cannot be read or written.
        """
        stack, before = record.stack, self._read_as.get(record.stack)
        key = self._key(stack)
        is_running = before is not None and self._read(key, before.data).outcome == "running"
        if is_running and is_held(self._store, self._project, stack):
            return self._read_again(stack)
        try:
            tag = self._store.put(key, _text(record), only_if=before.tag if before else ABSENT)
        except ConflictError:
            return self._read_again(stack)
        self._claims[stack] = tag
        return None

    def release(self, stack: str) -> None:
        """Undo a claim and restore the earlier record, because another run holds the stack.

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
        """Overwrite a stack's record.

        If two runs work on a stack one after the other, only the run that claimed it last writes
        its record. The record of the other run is dropped.

        Raises:
            StateError: the backend cannot be written.
        """
        if record.outcome in _DONE and not record.state:
            state = self._state_versions(record.stack).get(record.stack, "")
            record = record.model_copy(update={"state": state})
        stack = record.stack
        with contextlib.suppress(ConflictError):
            tag = self._store.put(self._key(stack), _text(record), only_if=self._claims.get(stack))
            if stack in self._claims:
                self._claims[stack] = tag

    def delete(self, stack: str) -> None:
        """Delete a stack's record, for example after the stack is retired.

        Raises:
            StateError: the backend cannot be written.
        """
        self._store.delete(self._key(stack))

    def _read_again(self, stack: str) -> TenantRecord | None:
        stored = self._store.get(self._key(stack))
        if stored is None:
            return None
        self._read_as[stack] = stored
        record = self._read(self._key(stack), stored.data)
        return self._compare_state(record, self._state_versions(stack))

    def _state_versions(self, stack: str) -> dict[str, str]:
        """Return the versions of states in the backend by stack name.

        Args:
            stack: the stack, or an empty string for all stacks of the project.
        """
        prefix = f"{_STATES}/{self._project}/"
        tags = self._store.tags(f"{prefix}{stack}", ending=(".json", ".json.gz"))
        return {
            key.removeprefix(prefix).removesuffix(".gz").removesuffix(".json"): tag
            for key, tag in sorted(tags.items())
        }

    def _compare_state(self, record: TenantRecord, states: Mapping[str, str]) -> TenantRecord:
        """Set `elsewhere` if the stack's state is not the version that the record names."""
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
