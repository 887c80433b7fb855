"""Fills an ephemeral environment's databases from files with SQL, each file once per database.

That it was run is noted in the database itself, in one unit with what it does: a run that is killed
in between, or an answer that is lost, makes nothing twice. A database that is made anew is empty
and is seeded anew.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flowflare.config.problems import nearest
from flowflare.errors import ApiError, FleetError
from flowflare.fleet.environments.records import Seed
from flowflare.migrations.ledger import Database
from flowflare.reading.files import read_text

if TYPE_CHECKING:
    from flowflare.api import Client
    from flowflare.model.stack import StackSpec

SERVICE: Final = "service"
#: D1 takes no statement of more than 100 KB, and a request is kept well below what an API takes.
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
    """A file to run.

    Attributes:
        file: the file, as it was given.
        database: `service`, or `<client>/<binding>`.
        sql: what it holds.
    """

    file: str
    database: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of what it holds."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class Seeded:
    """What became of a file.

    Attributes:
        seed: what is noted of it.
        ran: whether it was run now; otherwise the database has had it.
        changed: whether the database has had it with other content.
    """

    seed: Seed
    ran: bool
    changed: bool = False


def read_seeds(given: Sequence[str], root: Path) -> tuple[SeedFile, ...]:
    """Reads the files that the options name: `FILE`, or `CLIENT/BINDING=FILE`.

    Args:
        given: the options, in their order; paths are relative to the working directory.
        root: the project's folder, which files are named from where they are in it.

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
            raise FleetError(message, remedy="Split it; seeds are run in the order given.")
        seed = SeedFile(_named(path, root), database, sql)
        if any((one.file, one.database) == (seed.file, database) for one in seeds):
            raise FleetError(f"the seed {file} is given twice", remedy="Name it once.")
        seeds.append(seed)
    return tuple(seeds)


def _named(path: Path, root: Path) -> str:
    """How a file is noted: alike wherever the command is run and the project lies."""
    whole = path.resolve()
    inside = whole.is_relative_to(root.resolve())
    return whole.relative_to(root.resolve()).as_posix() if inside else path.name


def refuse_unknown(seeds: Sequence[SeedFile], spec: "StackSpec") -> None:
    """Stops before anything is made for seeds of databases that the stack will not have.

    Raises:
        FleetError: there is no such database.
    """
    known = _databases(spec)
    for seed in seeds:
        if seed.database not in known:
            message = f"the seed {seed.file} is for {seed.database}, which is no database here"
            raise FleetError(message, remedy=nearest(seed.database, known, "Databases"))


def run_seeds(seeds: Sequence[SeedFile], spec: "StackSpec", client: "Client") -> tuple[Seeded, ...]:
    """Runs the files that their databases have not had.

    Args:
        seeds: the files.
        spec: the stack, which is up.
        client: the API.

    Raises:
        FleetError: D1 refused a file; the database is as it was before that file.
    """
    names = _databases(spec)
    found = {
        database: _reach(client, spec.account_id, names[database])
        for database in dict.fromkeys(seed.database for seed in seeds)
    }
    return tuple(_run(seed, *found[seed.database]) for seed in seeds)


def _databases(spec: "StackSpec") -> dict[str, str]:
    """The databases of a stack, each with its name in the account."""
    of_clients = {
        f"{client.name}/{database.binding}": database.database_name
        for client in spec.clients
        for database in client.databases
    }
    return {SERVICE: spec.service.database_name, **of_clients}


def _reach(client: "Client", account: str, name: str) -> tuple[Database, str]:
    uuid = str(client.call("GET", f"/accounts/{account}/d1/database/{name}")["uuid"])
    return Database(client, account, uuid), uuid


def _run(seed: SeedFile, database: Database, uuid: str) -> Seeded:
    noted = Seed(file=seed.file, database=seed.database, database_id=uuid, checksum=seed.checksum)
    before = _had(database, seed)
    if before is not None:
        return Seeded(noted.model_copy(update={"checksum": before}), ran=False,
                      changed=before != seed.checksum)  # fmt: skip
    values = f"{_quoted(seed.file)}, {_quoted(seed.checksum)}"
    note = f"INSERT INTO flowflare_seeds (file, checksum) VALUES ({values});\n"  # noqa: S608
    try:
        # The note goes first: where it is there already, nothing of the file is done.
        database.query(note + seed.sql)
    except ApiError as error:
        if error.status != 400:
            raise
        if _had(database, seed) == seed.checksum:
            return Seeded(noted, ran=True)  # it was done, and the answer got lost
        reason = error.message.partition("HTTP 400: ")[2] or error.message
        message = f"the seed {seed.file} failed: {reason}"
        remedy = "The database is as it was before this file. Correct the file and run again."
        raise FleetError(message, remedy=remedy) from error
    return Seeded(noted, ran=True)


def _had(database: Database, seed: SeedFile) -> str | None:
    """The checksum with which the database has had a file, None where it has not."""
    where = f"WHERE file = {_quoted(seed.file)}"
    rows = database.query(f"{_TABLE}SELECT checksum FROM flowflare_seeds {where};")  # noqa: S608
    return str(rows[0]["checksum"]) if rows else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
