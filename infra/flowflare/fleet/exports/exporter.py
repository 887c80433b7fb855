"""Exports the D1 databases of a stack as SQL, and proves each export before it counts as one.

An export is a folder of a store, `<stack>/<time>/`: a file of SQL for each database and
`manifest.json`, written last, with digests and rows. It is proven when the SQL loads into SQLite
and has, table by table, the rows that D1 counts before and after, and the same contents.
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
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, ValidationError

from flowflare.errors import ApiError, FleetError
from flowflare.fleet.exports import exported_sql
from flowflare.migrations.ledger import Database
from flowflare.migrations.losses import count_rows
from flowflare.model.frozen import Frozen
from flowflare.reading.files import open_file
from flowflare.state.backends.folder import FolderStore

if TYPE_CHECKING:
    from flowflare.api import Client
    from flowflare.state.backends.store import Store
    from flowflare.state.checkpoint import Deployment

#: Where exports go by default, below the project's folder.
FOLDER: Final = ".flowflare/exports"
MANIFEST: Final = "manifest.json"
_TYPE: Final = "cloudflare:index/d1Database:D1Database"
_TRIES: Final = 3
_SUSPEND: Final = (
    "Write `status: suspended` for the tenant and bring it up, so that nobody writes; then again."
)


Compared = Literal["rows", "contents"]


class ExportedDatabase(Frozen):
    """One database of an export."""

    name: str = Field(description="Its name in the account.")
    uuid: str = Field(description="Its id in the account.")
    file: str = Field(description="The file's name, beside the manifest.")
    sha256: str = Field(description="Digest of the file, in hexadecimal.")
    size: int = Field(description="Bytes of the file.")
    tables: Mapping[str, int] = Field(description="Rows by table.")
    compared: Compared = Field(
        description="What was found to be the same in D1 and in the loaded file: `contents`, or "
        "`rows` alone where D1 takes too long to measure more."
    )


class Manifest(Frozen):
    """What an export holds."""

    format: int = Field(default=1, description="The format of this document.")
    stack: str = Field(description="The stack.")
    at: str = Field(description="When it was made, RFC 3339 in UTC.")
    databases: tuple[ExportedDatabase, ...] = Field(description="Its databases.")


@dataclass(frozen=True)
class OneDatabase:
    """A D1 database that a stack's state has."""

    resource: str
    account_id: str
    uuid: str
    name: str


def databases_of(deployment: "Deployment") -> tuple[OneDatabase, ...]:
    """The D1 databases in a stack's state, its clients' own among them."""
    return tuple(
        OneDatabase(
            one.name,
            str(one.inputs.get("accountId") or one.outputs.get("accountId")),
            str(one.outputs.get("uuid") or one.id.rpartition("/")[2]),
            str(one.inputs.get("name") or one.outputs.get("name")),
        )
        for one in deployment.resources
        if one.type == _TYPE and one.id
    )


class Exporter:
    """Exports one stack's databases.

    Args:
        client: the account's API.
        store: where exports go.
        stack: the stack.
        scratch: an empty folder for what is fetched.
        sleep: waits between two questions whether an export is ready.
        now: the time.
    """

    def __init__(
        self,
        client: "Client",
        store: "Store",
        stack: str,
        scratch: Path,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._store = store
        self._stack = stack
        self._scratch = scratch
        self._sleep = sleep
        self._now = now

    def export(self, databases: Sequence[OneDatabase]) -> Manifest | None:
        """Exports databases; those that are gone already must stand in an export made before.

        Args:
            databases: the stack's.

        Returns:
            What the newest export of each holds; None where there is no database.

        Raises:
            FleetError: an export could not be proven, or a database is gone without one.
            ApiError: the API refused.
        """
        present = [one for one in databases if self._exists(one)]
        gone = [one for one in databases if one not in present]
        before = self._before(gone)
        at = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
        folder = f"{self._stack}/{at.replace(':', '-')}"
        made = tuple(self._one(one, folder) for one in present)
        manifest = Manifest(stack=self._stack, at=at, databases=made)
        if made:
            self._store.put(
                f"{folder}/{MANIFEST}", manifest.model_dump_json(indent=2).encode() + b"\n"
            )
        whole = manifest.model_copy(update={"databases": (*made, *before)})
        return whole if whole.databases else None

    def require_current(self, databases: Sequence[OneDatabase]) -> None:
        """Asks once more, right before databases are deleted, whether their exports have it all.

        Args:
            databases: the stack's.

        Raises:
            FleetError: one has no export, or other rows by now.
            ApiError: the API refused.
        """
        known = self._known()
        for one in databases:
            if not self._exists(one):
                continue
            rows = _rows(Database(self._client, one.account_id, one.uuid))
            if one.uuid not in known:
                raise FleetError(f"database {one.name} has no export in {self._store.url}")
            if dict(known[one.uuid].tables) != rows:
                message = f"database {one.name} has changed since its export"
                raise FleetError(f"{message}; nothing was deleted", remedy=_SUSPEND)

    def _known(self) -> dict[str, ExportedDatabase]:
        """What the newest whole export of each database holds, by its id."""
        return {
            database.uuid: database
            for manifest in read_manifests(self._store, self._stack)
            for database in manifest.databases
        }

    def _exists(self, one: OneDatabase) -> bool:
        try:
            self._client.call("GET", _path(one))
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _before(self, gone: Sequence[OneDatabase]) -> tuple[ExportedDatabase, ...]:
        """What earlier exports hold of databases that an interrupted run has deleted."""
        if not gone:
            return ()
        known = self._known()
        for one in gone:
            if one.uuid not in known:
                raise FleetError(
                    f"database {one.name} of stack {self._stack} is not in the account, and no "
                    f"export in {self._store.url} has it",
                    remedy="If it may be lost: flowflare fleet destroy with --no-export",
                )
        return tuple(known[one.uuid] for one in gone)

    def _one(self, one: OneDatabase, folder: str) -> ExportedDatabase:
        """Exports a database until what is exported is what is there."""
        database = Database(self._client, one.account_id, one.uuid)
        file = self._scratch / f"{one.name}.sql"
        before = _rows(database)
        for _ in range(_TRIES):
            digest = self._download(one, file)
            columns, exported = exported_sql.measured(file, self._scratch)
            after = _rows(database)
            tables = exported_sql.rows_of(exported)
            if tables == before == after:
                compared = self._compare(one, database, columns, exported)
                key, size = f"{folder}/{file.name}", file.stat().st_size
                self._keep(file, key, digest)
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
                raise _unequal(one, "other rows than D1 counts", tables, after)
            before = after
        raise FleetError(
            f"database {one.name} changed during each of {_TRIES} exports", remedy=_SUSPEND
        )

    def _compare(
        self,
        one: OneDatabase,
        database: Database,
        columns: exported_sql.Columns,
        exported: Mapping[str, str],
    ) -> Compared:
        """Compares contents, as far as D1 has the time to measure its own."""
        try:
            there = exported_sql.measures(database.query, columns)
        except ApiError as error:
            if error.status in (0, 401, 403, 404, 429):
                raise
            return "rows"  # D1 gives a statement 30 s; rows were counted
        if there != exported:
            raise _unequal(one, "other contents than D1 measures", exported, there)
        return "contents"

    def _download(self, one: OneDatabase, file: Path) -> str:
        """Fetches an export into a file; its digest. The address is a secret of its own."""
        import httpx

        url = self._ready(one)
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
            raise FleetError(f"the export of {one.name} was answered with HTTP {status}") from None
        except httpx.HTTPError as error:
            raise FleetError(
                f"the export of {one.name} could not be fetched: {type(error).__name__}",
                remedy="Nothing was deleted. Try again.",
            ) from None
        return digest.hexdigest()

    def _ready(self, one: OneDatabase) -> str:
        """Asks for an export and for its end, without which Cloudflare gives it up."""
        body: dict[str, Any] = {"output_format": "polling"}
        pause = 0.1
        while True:
            answer = self._client.call("POST", f"{_path(one)}/export", body=body)
            status = answer.get("status")
            if status == "complete":
                return str(answer["result"]["signed_url"])
            if status == "error" or not answer.get("at_bookmark"):
                raise FleetError(
                    f"D1 does not export {one.name}: {answer.get('error') or 'no reason given'}"
                )
            if "current_bookmark" in body:
                self._sleep(pause)
                pause = min(pause * 2, 2.0)
            body["current_bookmark"] = answer["at_bookmark"]

    def _keep(self, file: Path, key: str, digest: str) -> None:
        """Puts a file into the store and makes sure that it is there as it was."""
        if isinstance(self._store, FolderStore):
            _move(file, self._store.path(key))
        else:
            self._store.put(key, file.read_bytes())
        if _digest(self._store, key) != digest:
            raise FleetError(f"{self._store.shown(key)} is not what was written there")


def read_manifests(store: "Store", stack: str) -> list[Manifest]:
    """The exports of a stack that are whole, the oldest first.

    A manifest is written last; files that are gone or have another digest make it none.
    """
    keys = [key for key in store.keys(f"{stack}/") if key.endswith(f"/{MANIFEST}")]
    found = []
    for key in keys:
        stored = store.get(key)
        with contextlib.suppress(ValidationError):
            manifest = Manifest.model_validate_json(stored.data if stored else b"")
            if all(_is_whole(store, key, one) for one in manifest.databases):
                found.append(manifest)
    return found


def _is_whole(store: "Store", manifest: str, one: ExportedDatabase) -> bool:
    return _digest(store, f"{manifest.removesuffix(MANIFEST)}{one.file}") == one.sha256


def _digest(store: "Store", key: str) -> str | None:
    """The digest of an object, None where there is none; a file is read piece by piece."""
    if isinstance(store, FolderStore):
        with contextlib.suppress(FileNotFoundError), open_file(store.path(key)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return None
    stored = store.get(key)
    return None if stored is None else hashlib.sha256(stored.data).hexdigest()


def _move(file: Path, target: Path) -> None:
    """Moves a file to its place in one step, readable by its owner alone; it reaches the disk."""
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


def export_store(place: str, root: Path, environ: Mapping[str, str] | None = None) -> "Store":
    """Where exports go: a folder, which begins at the project's, or a backend's URL."""
    from flowflare.state.backends.registry import open_place

    return open_place(place, os.environ if environ is None else environ, base=root)


def _rows(database: Database) -> dict[str, int]:
    return count_rows(database, [str(row["name"]) for row in database.query(exported_sql.TABLES)])


def _unequal(
    one: OneDatabase, what: str, exported: Mapping[str, object], there: Mapping[str, object]
) -> FleetError:
    tables = sorted(
        {
            name.partition("\0")[0]
            for name in exported.keys() | there.keys()
            if exported.get(name) != there.get(name)
        }
    )
    return FleetError(
        f"the export of database {one.name} has {what}, in {', '.join(tables)}",
        remedy="Nothing was deleted. Run it again. If it stays so, export those tables yourself, "
        "and then: flowflare fleet destroy with --no-export",
    )


def _path(one: OneDatabase) -> str:
    return f"/accounts/{one.account_id}/d1/database/{one.uuid}"
