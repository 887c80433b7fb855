"""Record each ephemeral environment, so that any machine can remove it after it expires.

The state backend has an object for each environment, `.flowflare/environments/<project>/
<name>.json`. It contains the stack's file with its ciphertexts and salt, but nothing that decrypts
them.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import Field, ValidationError

from flowflare.errors import StateError
from flowflare.model.frozen import Frozen
from flowflare.reading.json_text import parse_json
from flowflare.state.backends.store import ABSENT, Store, StoredObject

FORMAT: Final = 1
_FOLDER: Final = ".flowflare/environments"


class Seed(Frozen):
    """A SQL file that was run in one of the databases."""

    file: str = Field(description="The file, as the option names it.")
    database: str = Field(description="`service`, or `<client>/<binding>`.")
    database_id: str = Field(description="The database's ID. A new database is seeded again.")
    checksum: str = Field(description="SHA-256 of the file, in hexadecimal.")


class EnvironmentRecord(Frozen):
    """The record of one ephemeral environment."""

    name: str = Field(description="Its name, such as `pr-123`.")
    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="Its stack.")
    environment: str = Field(description="The environment in its resource names, `pr123`.")
    base: str = Field(description="The stack whose configuration it copies.")
    created: datetime = Field(description="When it was created.")
    expires: datetime = Field(description="When it may be removed.")
    text: str = Field(description="The content of the stack's file.")
    seeds: tuple[Seed, ...] = Field(default=(), description="The SQL files run in its databases.")

    def has_expired(self, now: datetime) -> bool:
        """Return whether it has expired."""
        return self.expires <= now


class StoredRecord(Frozen):
    """A record with the version that was read."""

    record: EnvironmentRecord
    tag: str = Field(description="The object's version. Only this version may be overwritten.")


class EnvironmentRecords:
    """Read and write the records of one project."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._folder = f"{_FOLDER}/{project}/"

    def read_all(self, broken: list[StateError] | None = None) -> tuple[EnvironmentRecord, ...]:
        """Read every readable record, sorted by name.

        Args:
            broken: gains an error for each record that cannot be read.

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

    def get(self, name: str) -> StoredRecord | None:
        """Read one environment's record; None if it does not exist.

        Raises:
            StateError: the record cannot be read.
        """
        key = self._key(name)
        stored = self._store.get(key)
        return None if stored is None else self._read(key, stored)

    def write(self, record: EnvironmentRecord, over: StoredRecord | None) -> StoredRecord:
        """Write a record, unless it has changed since it was read.

        Args:
            over: the record that was read; None if there was none.

        Raises:
            ConflictError: another process has written it since.
            StateError: the backend cannot be written.
        """
        fields = record.model_dump(mode="json")
        data = json.dumps({"format": FORMAT, **fields}, ensure_ascii=False).encode()
        tag = self._store.put(self._key(record.name), data, only_if=over.tag if over else ABSENT)
        return StoredRecord(record=record, tag=tag)

    def delete(self, found: StoredRecord) -> None:
        """Delete a record, unless it has changed since it was read.

        Raises:
            ConflictError: another process has written it since.
        """
        self._store.delete(self._key(found.record.name), only_if=found.tag)

    def _key(self, name: str) -> str:
        return f"{self._folder}{name}.json"

    def _read(self, key: str, stored: StoredObject) -> StoredRecord:
        try:
            raw: dict[str, Any] = parse_json(stored.data)
            is_known = raw.pop("format") == FORMAT
            record = EnvironmentRecord.model_validate(raw)
            if is_known and key == self._key(record.name) and record.project == self._project:
                return StoredRecord(record=record, tag=stored.tag)
        except (ValueError, ValidationError, KeyError, AttributeError, TypeError):
            pass
        message = f"{self._store.describe(key)} is not a record of an environment that can be read"
        remedy = "Another release of Flowflare may have written it: use that release."
        raise StateError(message, remedy=remedy)


def utc_now() -> datetime:
    """Return the time in whole seconds, as records store it."""
    return datetime.now(UTC).replace(microsecond=0)
