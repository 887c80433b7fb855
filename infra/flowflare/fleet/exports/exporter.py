"""Export the D1 databases of a stack as SQL, and verify each export.

An export is a folder of a store, `<stack>/<time>/`, with a SQL file for each database and a
`manifest.json`, written last, with digests and row counts. It is verified if the SQL loads into
SQLite and every table has the rows that D1 counts before and after, and the same contents.
"""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import httpx
from pydantic import Field, ValidationError

from flowflare.api import Client
from flowflare.errors import ApiError, FleetError
from flowflare.fleet.exports import exported_sql
from flowflare.kinds import d1_database
from flowflare.migrations.ledger import RemoteDatabase
from flowflare.migrations.losses import count_rows
from flowflare.model.frozen import Frozen
from flowflare.reading.files import open_file
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.registry import open_place
from flowflare.state.backends.store import Store
from flowflare.state.checkpoint import Deployment

#: The default folder of exports, relative to the project's folder.
FOLDER: Final = ".flowflare/exports"
MANIFEST: Final = "manifest.json"
_TRIES: Final = 3
_SUSPEND: Final = (
    "Set `status: suspended` for the tenant and run `up`, so that nothing writes to it; then retry."
)


Compared = Literal["rows", "contents"]


class ExportedDatabase(Frozen):
    """One database of an export."""

    name: str = Field(description="Its name in the account.")
    uuid: str = Field(description="Its ID in the account.")
    file: str = Field(description="The name of its file, beside the manifest.")
    sha256: str = Field(description="The file's SHA-256 digest, in hexadecimal.")
    size: int = Field(description="The file's size in bytes.")
    tables: Mapping[str, int] = Field(description="The number of rows by table.")
    compared: Compared = Field(
        description="What was compared between D1 and the loaded file: `contents`, or only `rows` "
        "if D1 takes too long to measure the contents."
    )


class Manifest(Frozen):
    """The contents of an export."""

    format: int = Field(default=1, description="The format of this document.")
    stack: str = Field(description="The stack.")
    at: str = Field(description="When it was made, RFC 3339 in UTC.")
    databases: tuple[ExportedDatabase, ...] = Field(description="Its databases.")


@dataclass(frozen=True)
class StackDatabase:
    """A D1 database in a stack's state."""

    resource: str
    account_id: str
    uuid: str
    name: str


def databases_of(deployment: Deployment) -> tuple[StackDatabase, ...]:
    """List the D1 databases in a stack's state, including those of its clients."""
    return tuple(
        StackDatabase(
            resource.name,
            str(resource.inputs.get("accountId") or resource.outputs.get("accountId")),
            str(resource.outputs.get("uuid") or resource.id.rpartition("/")[2]),
            str(resource.inputs.get("name") or resource.outputs.get("name")),
        )
        for resource in deployment.resources
        if resource.type == d1_database.KIND.type and resource.id
    )


@dataclass(frozen=True)
class Exporter:
    """Export one stack's databases.

    Attributes:
        scratch: an empty folder for downloads.
        sleep: waits between polls for a finished export.
    """

    client: Client
    store: Store
    stack: str
    scratch: Path
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def export(self, databases: Sequence[StackDatabase]) -> Manifest | None:
        """Export databases; a deleted database must have an earlier export.

        Returns:
            The newest export of every database; None if there are no databases.

        Raises:
            FleetError: an export could not be verified, or a deleted database has none.
            ApiError: the API refused a request.
        """
        present = [database for database in databases if self._exists(database)]
        deleted = [database for database in databases if database not in present]
        before = self._find_earlier(deleted)
        at = self.now().isoformat(timespec="seconds").replace("+00:00", "Z")
        folder = f"{self.stack}/{at.replace(':', '-')}"
        made = tuple(self._export_one(database, folder) for database in present)
        manifest = Manifest(stack=self.stack, at=at, databases=made)
        if made:
            self.store.put(
                f"{folder}/{MANIFEST}", manifest.model_dump_json(indent=2).encode() + b"\n"
            )
        whole = manifest.model_copy(update={"databases": (*made, *before)})
        return whole if whole.databases else None

    def require_current(self, databases: Sequence[StackDatabase]) -> None:
        """Check that the exports are current, immediately before the databases are deleted.

        Raises:
            FleetError: a database has no export, or its rows have changed since.
            ApiError: the API refused a request.
        """
        known = self._read_exported()
        for database in databases:
            if not self._exists(database):
                continue
            rows = _count_rows(RemoteDatabase(self.client, database.account_id, database.uuid))
            if database.uuid not in known:
                raise FleetError(f"database {database.name} has no export in {self.store.url}")
            if dict(known[database.uuid].tables) != rows:
                message = f"database {database.name} has changed since its export"
                raise FleetError(f"{message}; nothing was deleted", remedy=_SUSPEND)

    def _read_exported(self) -> dict[str, ExportedDatabase]:
        """Read the newest complete export of each database, by the database's ID."""
        return {
            database.uuid: database
            for manifest in read_manifests(self.store, self.stack)
            for database in manifest.databases
        }

    def _exists(self, database: StackDatabase) -> bool:
        try:
            self.client.call("GET", _path(database))
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _find_earlier(self, deleted: Sequence[StackDatabase]) -> tuple[ExportedDatabase, ...]:
        """Find the earlier exports of databases that an interrupted run has deleted."""
        if not deleted:
            return ()
        known = self._read_exported()
        for database in deleted:
            if database.uuid not in known:
                raise FleetError(
                    f"database {database.name} of stack {self.stack} is not in the account and "
                    f"has no export in {self.store.url}",
                    remedy="To destroy the stack without it: flowflare fleet destroy --no-export",
                )
        return tuple(known[database.uuid] for database in deleted)

    def _export_one(self, one: StackDatabase, folder: str) -> ExportedDatabase:
        """Export a database, and repeat it if the database changes during the export."""
        database = RemoteDatabase(self.client, one.account_id, one.uuid)
        file = self.scratch / f"{one.name}.sql"
        before = _count_rows(database)
        for _ in range(_TRIES):
            digest = self._download(one, file)
            columns, exported = exported_sql.measure_export(file, self.scratch)
            after = _count_rows(database)
            tables = exported_sql.rows_of(exported)
            if tables == before == after:
                compared = self._compare(one, database, columns, exported)
                key, size = f"{folder}/{file.name}", file.stat().st_size
                self._store_file(file, key, digest)
                return ExportedDatabase(
                    name=one.name,
                    uuid=one.uuid,
                    file=file.name,
                    sha256=digest,
                    size=size,
                    tables=tables,
                    compared=compared,
                )
            if before == after:
                raise _unequal(one, "row counts that differ from D1's", tables, after)
            before = after
        raise FleetError(
            f"database {one.name} changed during each of {_TRIES} exports", remedy=_SUSPEND
        )

    def _compare(
        self,
        one: StackDatabase,
        database: RemoteDatabase,
        columns: exported_sql.Columns,
        exported: Mapping[str, str],
    ) -> Compared:
        """Compare the contents, unless D1 takes too long to measure its own."""
        try:
            stored = exported_sql.measure(database.query, columns)
        except ApiError as error:
            if error.status in (0, 401, 403, 404, 429):
                raise
            return "rows"  # D1 ends a statement after 30 s; the row counts are equal
        if stored != exported:
            raise _unequal(one, "contents that differ from D1's", exported, stored)
        return "contents"

    def _download(self, one: StackDatabase, file: Path) -> str:
        """Download an export into a file, and return its digest.

        The download URL gives access by itself, so no message contains it.
        """
        url = self._request_export(one)
        digest = hashlib.sha256()
        try:
            with (
                httpx.stream("GET", url, timeout=60, follow_redirects=True) as answer,
                file.open("wb") as target,
            ):
                answer.raise_for_status()
                for part in answer.iter_bytes():
                    digest.update(part)
                    target.write(part)
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            raise FleetError(f"the download of {one.name} failed with HTTP {status}") from None
        except httpx.HTTPError as error:
            raise FleetError(
                f"the export of {one.name} could not be downloaded: {type(error).__name__}",
                remedy="Nothing was deleted. Try again.",
            ) from None
        return digest.hexdigest()

    def _request_export(self, one: StackDatabase) -> str:
        """Start an export, poll it until it is complete, and return its download URL.

        Cloudflare cancels an export that is not polled.
        """
        body: dict[str, Any] = {"output_format": "polling"}
        pause = 0.1
        while True:
            answer = self.client.call("POST", f"{_path(one)}/export", body=body)
            status = answer.get("status")
            if status == "complete":
                return str(answer["result"]["signed_url"])
            if status == "error" or not answer.get("at_bookmark"):
                raise FleetError(
                    f"D1 does not export {one.name}: {answer.get('error') or 'no reason given'}"
                )
            if "current_bookmark" in body:
                self.sleep(pause)
                pause = min(pause * 2, 2.0)
            body["current_bookmark"] = answer["at_bookmark"]

    def _store_file(self, file: Path, key: str, digest: str) -> None:
        """Write a file to the store, and check its digest there."""
        if isinstance(self.store, FolderStore):
            _move(file, self.store.path(key))
        else:
            self.store.put(key, file.read_bytes())
        if _digest(self.store, key) != digest:
            raise FleetError(f"{self.store.describe(key)} differs from what was written")


def read_manifests(store: Store, stack: str) -> list[Manifest]:
    """Read the complete exports of a stack, the oldest first.

    An export is not complete if one of its files is missing or has another digest.
    """
    keys = [key for key in store.keys(f"{stack}/") if key.endswith(f"/{MANIFEST}")]
    found = []
    for key in keys:
        stored = store.get(key)
        with contextlib.suppress(ValidationError):
            manifest = Manifest.model_validate_json(stored.data if stored else b"")
            if all(_is_complete(store, key, database) for database in manifest.databases):
                found.append(manifest)
    return found


def _is_complete(store: Store, manifest: str, database: ExportedDatabase) -> bool:
    return _digest(store, f"{manifest.removesuffix(MANIFEST)}{database.file}") == database.sha256


def _digest(store: Store, key: str) -> str | None:
    """Compute an object's digest; None if it does not exist. Files are read in chunks."""
    if isinstance(store, FolderStore):
        with contextlib.suppress(FileNotFoundError), open_file(store.path(key)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return None
    stored = store.get(key)
    return None if stored is None else hashlib.sha256(stored.data).hexdigest()


def _move(file: Path, target: Path) -> None:
    """Move a file atomically and durably to its place, readable only by its owner."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}")
    shutil.move(file, draft)
    draft.chmod(0o600)
    with draft.open("rb") as moved:
        os.fsync(moved.fileno())
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def export_store(place: str, root: Path, environ: Mapping[str, str] | None = None) -> Store:
    """Open the store for exports: a folder relative to the project's, or a backend's URL."""
    return open_place(place, os.environ if environ is None else environ, base=root)


def _count_rows(database: RemoteDatabase) -> dict[str, int]:
    return count_rows(database, [str(row["name"]) for row in database.query(exported_sql.TABLES)])


def _unequal(
    one: StackDatabase, what: str, exported: Mapping[str, object], stored: Mapping[str, object]
) -> FleetError:
    tables = sorted(
        {
            name.partition("\0")[0]
            for name in exported.keys() | stored.keys()
            if exported.get(name) != stored.get(name)
        }
    )
    return FleetError(
        f"the export of database {one.name} has {what}, in {', '.join(tables)}",
        remedy="Nothing was deleted. Run it again. If it fails again, export those tables "
        "yourself, and run `flowflare fleet destroy` with --no-export.",
    )


def _path(one: StackDatabase) -> str:
    return f"/accounts/{one.account_id}/d1/database/{one.uuid}"
