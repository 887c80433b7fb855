"""Fill an ephemeral environment's databases from SQL files, each file once per database.

The database records that a file was run, in the same transaction as the file's statements. A killed
run or a lost response therefore never runs a file twice. A recreated database is seeded again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowflare.api import Client
from flowflare.config.problems import nearest
from flowflare.errors import ApiError, FleetError
from flowflare.fleet.environments.records import Seed
from flowflare.migrations.ledger import RemoteDatabase
from flowflare.model.stack import StackSpec
from flowflare.reading.files import read_text

SERVICE: Final = "service"
#: D1 accepts statements of at most 100 KB. A request stays well below the API's limit.
LARGEST: Final = 5_000_000
_TABLE: Final = """\
CREATE TABLE IF NOT EXISTS flowflare_seeds(
    file TEXT PRIMARY KEY,
    checksum TEXT NOT NULL,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
"""


@dataclass(frozen=True)
class SeedFile:
    """A SQL file to run.

    Attributes:
        file: the file, as the option names it.
        database: `service`, or `<client>/<binding>`.
    """

    file: str
    database: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's content, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class SeedResult:
    """The result of one file.

    Attributes:
        ran: whether the file was run now; otherwise it had been run before.
        changed: whether it had been run before with other content.
    """

    seed: Seed
    ran: bool
    changed: bool = False


def read_seeds(given: Sequence[str], root: Path) -> tuple[SeedFile, ...]:
    """Read the files that the options name: `FILE`, or `CLIENT/BINDING=FILE`.

    Args:
        given: the options, in order; paths are relative to the working directory.
        root: the project's folder; records name the files in it relative to it.

    Raises:
        FleetError: a file cannot be read, or is given twice for one database.
    """
    seeds: list[SeedFile] = []
    for text in given:
        where, equals, file = text.rpartition("=")
        path = Path(file)
        database = where if equals else SERVICE
        try:
            sql = read_text(path)
        except OSError as error:
            why = error.strerror
            remedy = "Write --seed FILE.sql, or --seed CLIENT/BINDING=FILE.sql."
            raise FleetError(f"the seed {file!r} cannot be read: {why}", remedy=remedy) from None
        if len(sql.encode()) > LARGEST:
            message = f"the seed {file} has more than {LARGEST // 1_000_000} MB"
            raise FleetError(message, remedy="Split it; seeds are run in the given order.")
        seed = SeedFile(_name_file(path, root), database, sql)
        if any((other.file, other.database) == (seed.file, database) for other in seeds):
            raise FleetError(f"the seed {file} is given twice", remedy="Name it once.")
        seeds.append(seed)
    return tuple(seeds)


def _name_file(path: Path, root: Path) -> str:
    """Return a file's name for records, independent of the machine and the working directory."""
    whole = path.resolve()
    inside = whole.is_relative_to(root.resolve())
    return whole.relative_to(root.resolve()).as_posix() if inside else path.name


def refuse_unknown(seeds: Sequence[SeedFile], spec: StackSpec) -> None:
    """Refuse seeds of databases that the stack will not have, before anything is created.

    Raises:
        FleetError: the database does not exist.
    """
    known = _databases(spec)
    for seed in seeds:
        if seed.database not in known:
            message = f"the seed {seed.file} is for {seed.database}, which is not a database here"
            raise FleetError(message, remedy=nearest(seed.database, known, "Databases"))


def run_seeds(seeds: Sequence[SeedFile], spec: StackSpec, client: Client) -> tuple[SeedResult, ...]:
    """Run the files that have not been run in their databases.

    Raises:
        FleetError: D1 refused a file; the database is unchanged by that file.
    """
    names = _databases(spec)
    found = {
        database: _find_database(client, spec.account_id, names[database])
        for database in dict.fromkeys(seed.database for seed in seeds)
    }
    return tuple(_run(seed, *found[seed.database]) for seed in seeds)


def _databases(spec: StackSpec) -> dict[str, str]:
    """Return the databases of a stack, each with its name in the account."""
    of_clients = {
        f"{client.name}/{database.binding}": database.database_name
        for client in spec.clients
        for database in client.databases
    }
    return {SERVICE: spec.service.database_name, **of_clients}


def _find_database(client: Client, account: str, name: str) -> tuple[RemoteDatabase, str]:
    uuid = str(client.call("GET", f"/accounts/{account}/d1/database/{name}")["uuid"])
    return RemoteDatabase(client, account, uuid), uuid


def _run(seed: SeedFile, database: RemoteDatabase, uuid: str) -> SeedResult:
    noted = Seed(file=seed.file, database=seed.database, database_id=uuid, checksum=seed.checksum)
    before = _read_checksum(database, seed)
    if before is not None:
        return SeedResult(noted.model_copy(update={"checksum": before}), ran=False,
                      changed=before != seed.checksum)  # fmt: skip
    values = f"{_quote(seed.file)}, {_quote(seed.checksum)}"
    note = f"INSERT INTO flowflare_seeds (file, checksum) VALUES ({values});\n"  # noqa: S608
    try:
        # The INSERT comes first: if the row exists already, no statement of the file takes effect.
        database.query(note + seed.sql)
    except ApiError as error:
        if error.status != 400:
            raise
        if _read_checksum(database, seed) == seed.checksum:
            return SeedResult(noted, ran=True)  # it was run, but the response was lost
        reason = error.message.partition("HTTP 400: ")[2] or error.message
        message = f"the seed {seed.file} failed: {reason}"
        remedy = "This file changed nothing in the database. Correct the file and run it again."
        raise FleetError(message, remedy=remedy) from error
    return SeedResult(noted, ran=True)


def _read_checksum(database: RemoteDatabase, seed: SeedFile) -> str | None:
    """Read the checksum with which a file was run; None if it was not."""
    where = f"WHERE file = {_quote(seed.file)}"
    rows = database.query(f"{_TABLE}SELECT checksum FROM flowflare_seeds {where};")  # noqa: S608
    return str(rows[0]["checksum"]) if rows else None


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
