"""What is known of each ephemeral environment, so that any machine can take it away in time.

One object for each in the state backend, `.flowflare/environments/<project>/<name>.json`. It holds
the stack's file, ciphertexts and salt in it, but nothing that opens them.
"""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, ValidationError

from flowflare.errors import StateError
from flowflare.model.frozen import Frozen
from flowflare.reading.json_text import parse_json
from flowflare.state.backends.store import ABSENT

if TYPE_CHECKING:
    from flowflare.state.backends.store import Store, Stored

FORMAT: Final = 1
_FOLDER: Final = ".flowflare/environments"


class Seed(Frozen):
    """A file with SQL that was run in one of the databases."""

    file: str = Field(description="The file, as it was given.")
    database: str = Field(description="`service`, or `<client>/<binding>`.")
    database_id: str = Field(description="The database's id: another one is seeded again.")
    checksum: str = Field(description="SHA-256 of the file, in hexadecimal.")


class EnvironmentRecord(Frozen):
    """One ephemeral environment."""

    name: str = Field(description="Its name, `pr-123`.")
    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="Its stack.")
    environment: str = Field(description="The environment in its names, `pr123`.")
    base: str = Field(description="The stack whose configuration it has.")
    created: datetime = Field(description="Since when there is one.")
    expires: datetime = Field(description="When it may be taken away.")
    text: str = Field(description="What the stack's file holds.")
    seeds: tuple[Seed, ...] = Field(default=(), description="What was run in its databases.")

    def has_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires <= now


class Found(Frozen):
    """A record as it was read."""

    record: EnvironmentRecord
    tag: str = Field(description="Its version: it is written only over the one that was read.")


class EnvironmentRecords:
    """The records of one project.

    Args:
        store: the state backend.
        project: the project's name.
    """

    def __init__(self, store: "Store", project: str) -> None:
        self._store = store
        self._project = project
        self._folder = f"{_FOLDER}/{project}/"

    def all(self, broken: list[StateError] | None = None) -> tuple[EnvironmentRecord, ...]:
        """Every record that can be read, by name.

        Args:
            broken: gains an error for each that cannot.

        Raises:
            StateError: the backend cannot be read.
        """
        found = self._store.read_many(self._store.keys(self._folder))
        records = []
        for key, stored in sorted(found.items()):
            try:
                records.append(self._read(key, stored).record)
            except StateError as error:
                if broken is not None:
                    broken.append(error)
        return tuple(records)

    def get(self, name: str) -> Found | None:
        """One environment's record, None where it has none.

        Raises:
            StateError: it cannot be read.
        """
        key = self._key(name)
        stored = self._store.get(key)
        return None if stored is None else self._read(key, stored)

    def write(self, record: EnvironmentRecord, over: Found | None) -> Found:
        """Writes a record, if the one that was read is still there.

        Args:
            record: the new one.
            over: the one that was read, None where there was none.

        Raises:
            ConflictError: somebody else has written it since.
            StateError: the backend cannot be written.
        """
        fields = record.model_dump(mode="json")
        data = json.dumps({"format": FORMAT, **fields}, ensure_ascii=False).encode()
        tag = self._store.put(self._key(record.name), data, only_if=over.tag if over else ABSENT)
        return Found(record=record, tag=tag)

    def delete(self, found: Found) -> None:
        """Removes a record, if it is still the one that was read.

        Raises:
            ConflictError: somebody else has written it since.
        """
        self._store.delete(self._key(found.record.name), only_if=found.tag)

    def _key(self, name: str) -> str:
        return f"{self._folder}{name}.json"

    def _read(self, key: str, stored: "Stored") -> Found:
        try:
            raw: dict[str, Any] = parse_json(stored.data)
            is_known = raw.pop("format") == FORMAT
            record = EnvironmentRecord.model_validate(raw)
            if is_known and key == self._key(record.name) and record.project == self._project:
                return Found(record=record, tag=stored.tag)
        except (ValueError, ValidationError, KeyError, AttributeError, TypeError):
            pass
        message = f"{self._store.shown(key)} is no record of an environment that is read here"
        remedy = "Another release of Flowflare may have written it: use that one."
        raise StateError(message, remedy=remedy)


def utc_now() -> datetime:
    """The time, in whole seconds as records have it."""
    return datetime.now(UTC).replace(microsecond=0)
