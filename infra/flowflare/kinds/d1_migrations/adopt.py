"""Tells which files a D1 database has had: by its ledger, else by its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.errors import MigrationError
from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Baseline, Difference, Findings, Thing, Wanted, known
from flowflare.migrations import baseline
from flowflare.migrations.baseline import (
    compare_objects,
    find_match,
    list_files_with_data,
    read_objects,
)
from flowflare.migrations.files import Migration, make_migration
from flowflare.migrations.ledger import (
    Database,
    note_checksums,
    open_ledger,
    read_ledger,
    rewrite,
)
from flowflare.migrations.original import is_original
from flowflare.migrations.plan import Applied, find_history_problems
from flowflare.values.properties import plain

_WORDS: Final = {
    "missing": "is made by the files and is not in the database",
    "extra": "is in the database, and no file makes it",
    "different": "is not as the files make it",
}
_SHOWN: Final = 12


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The files that a database has had; missing where it has had none."""
    uuid = wanted.text("database_id")
    row = account.database(uuid) if uuid else None
    if row is None:
        return None
    name = str(row.get("name") or uuid)
    rows = plain(wanted.inputs.get("migrations") or [])
    files = [make_migration(str(one["name"]), str(one["sql"])) for one in rows]
    reached = _Reached(name, uuid, Database(account.client, account.identity, uuid))
    try:
        had = _had(reached, files, findings)
    except MigrationError as error:
        findings.refuse(f"D1 database {name}: {error.message}", error.remedy or "")
        return None
    if not had:
        return None
    ledger = [{"name": one.name, "checksum": one.checksum} for one in had]
    names = {one.name for one in had}
    kept = [one for one in wanted.inputs["migrations"] if str(one["name"]) in names]
    found = []
    if len(had) < len(files):
        waiting = [one.name for one in files[len(had) :]]
        found = [Difference(path="migrations", declared=waiting, account=[])]
    outputs = {key: wanted.inputs[key] for key in ("account_id", "database_id", "__provider")}
    inputs = known({**wanted.inputs, "migrations": kept})
    return Thing(uuid, inputs, {**outputs, "applied": ledger}, name, found)


@dataclass(frozen=True)
class _Reached:
    """A database that answered."""

    name: str
    uuid: str
    database: Database


def _had(reached: _Reached, files: Sequence[Migration], findings: Findings) -> Sequence[Migration]:
    """The files that a database has had; notes what its ledger lacks, refuses a difference.

    Raises:
        MigrationError: the ledger knows other files, or the tables are others.
    """
    database = reached.database
    applied, objects = read_ledger(database), read_objects(database)
    if not applied and not objects:
        return ()
    if applied:
        had = _by_ledger(files, applied)
        _refuse(compare_objects(objects, had), objects)
        unnoted = {row.name for row in applied if row.checksum is None}
        bare = [file for file in had if file.name in unnoted]
        if bare:
            why = "wrangler's ledger has them; their checksums are noted beside it"
            found = _baseline(reached, bare, why)
            findings.baselines.append((found, lambda: _note(database, bare)))
        return had
    last = find_match(objects, files)
    if last is None:
        _refuse(compare_objects(objects, files), objects)
        return ()
    had = list(files[: files.index(last) + 1])
    found = _baseline(reached, had, "its tables are just what they make")
    findings.baselines.append((found, lambda: rewrite(database, (), had)))
    filled = ", ".join(list_files_with_data(had))
    if filled:
        findings.note(
            f"{reached.name}: these files also write rows, which a comparison of tables cannot "
            f"see: {filled}"
        )
    return had


def _by_ledger(files: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """The files that the ledger has.

    Raises:
        MigrationError: it knows other ones.
    """
    problems = find_history_problems(files, applied)
    if problems:
        message = "; ".join(one.message for one in problems)
        raise MigrationError(message, remedy=problems[0].remedy)
    names = {row.name for row in applied}
    return [file for file in files if file.name in names]


def _note(database: Database, files: Sequence[Migration]) -> None:
    """Notes checksums; done once, however often it is asked for."""
    bare = {row.name for row in open_ledger(database) if row.checksum is None}
    note_checksums(database, [file for file in files if file.name in bare])


def _baseline(reached: _Reached, files: Sequence[Migration], why: str) -> Baseline:
    names = tuple(file.name for file in files)
    return Baseline(database=reached.name, uuid=reached.uuid, files=names, why=why)


def _refuse(found: Sequence[baseline.Difference], objects: Mapping[tuple[str, str], Any]) -> None:
    if not found:
        return
    lines = [f"\n      {one.type} {one.name} {_WORDS[one.kind]}" for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"\n      and {len(found) - _SHOWN} more")
    if is_original(objects):
        message = "it has the tables of the original Flowflare, which are not this one's"
        remedy = "Its rows come along: flowflare adopt --convert-original FILE writes the SQL."
    else:
        message = "its tables are not what the files make"
        remedy = (
            "Bring database and files together first; the definitions are shown by: "
            "flowflare migrations baseline"
        )
    raise MigrationError(message + ":" + "".join(lines), remedy=remedy)
