"""Find the files that are applied to a D1 database: by its ledger, otherwise by its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.errors import MigrationError
from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Baseline, Difference, Findings, Thing, Wanted, drop_unknown
from flowflare.migrations import baseline
from flowflare.migrations.baseline import (
    compare_objects,
    find_match,
    list_files_with_data,
    read_objects,
)
from flowflare.migrations.files import Migration, make_migration
from flowflare.migrations.ledger import (
    RemoteDatabase,
    note_checksums,
    open_ledger,
    read_ledger,
    rewrite,
)
from flowflare.migrations.original import is_original
from flowflare.migrations.plan import Applied, find_history_problems, sort_as_applied
from flowflare.values.properties import plain

_WORDS: Final = {
    "missing": "is made by the files and is not in the database",
    "extra": "is in the database, and no file makes it",
    "different": "is not as the files make it",
}
_SHOWN: Final = 12


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the files that are applied to a database; None if there are none."""
    uuid = wanted.text("database_id")
    row = account.database(uuid) if uuid else None
    if row is None:
        return None
    name = str(row.get("name") or uuid)
    rows = plain(wanted.inputs.get("migrations") or [])
    files = [make_migration(str(row["name"]), str(row["sql"])) for row in rows]
    reached = _Reached(
        name, uuid, RemoteDatabase(account.client, account.identity, uuid, wanted.text("table"))
    )
    try:
        applied_files = _find_applied(reached, files, findings)
    except MigrationError as error:
        findings.refuse(f"D1 database {name}: {error.message}", error.remedy or "")
        return None
    if not applied_files:
        return None
    ledger = [{"name": file.name, "checksum": file.checksum} for file in applied_files]
    names = {file.name for file in applied_files}
    kept = [row for row in wanted.inputs["migrations"] if str(row["name"]) in names]
    found = []
    if len(applied_files) < len(files):
        waiting = [file.name for file in files[len(applied_files) :]]
        found = [Difference(path="migrations", declared=waiting, account=[])]
    fixed = ("account_id", "database_id", "table", "__provider")
    outputs = {key: wanted.inputs[key] for key in fixed if key in wanted.inputs}
    inputs = drop_unknown({**wanted.inputs, "migrations": kept})
    return Thing(uuid, inputs, {**outputs, "applied": ledger}, name, found)


@dataclass(frozen=True)
class _Reached:
    """A database of the account."""

    name: str
    uuid: str
    database: RemoteDatabase


def _find_applied(
    reached: _Reached, files: Sequence[Migration], findings: Findings
) -> Sequence[Migration]:
    """Find the files that are applied; note what the ledger lacks, and refuse differences.

    Raises:
        MigrationError: the ledger has other files, or the tables differ.
    """
    database = reached.database
    applied, objects = read_ledger(database), read_objects(database)
    if not applied and not objects:
        return ()
    if applied:
        had = _select_by_ledger(files, applied)
        _refuse_differences(
            compare_objects(objects, sort_as_applied(had, (row.name for row in applied))), objects
        )
        unnoted = {row.name for row in applied if row.checksum is None}
        bare = [file for file in had if file.name in unnoted]
        if bare:
            why = "wrangler's ledger has them; Flowflare's ledger gets their checksums"
            found = _make_baseline(reached, bare, why)
            findings.baselines.append((found, lambda: _note_checksums(database, bare)))
        return had
    last = find_match(objects, files)
    if last is None:
        _refuse_differences(compare_objects(objects, files), objects)
        return ()
    had = list(files[: files.index(last) + 1])
    found = _make_baseline(reached, had, "its tables are exactly those that they create")
    findings.baselines.append((found, lambda: rewrite(database, (), had)))
    filled = ", ".join(list_files_with_data(had))
    if filled:
        findings.note(
            f"{reached.name}: these files also write rows, which a comparison of tables cannot "
            f"see: {filled}"
        )
    return had


def _select_by_ledger(files: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """Return the files that the ledger has.

    Raises:
        MigrationError: the ledger has other files.
    """
    problems = find_history_problems(files, applied)
    if problems:
        message = "; ".join(problem.message for problem in problems)
        raise MigrationError(message, remedy=problems[0].remedy)
    names = {row.name for row in applied}
    return [file for file in files if file.name in names]


def _note_checksums(database: RemoteDatabase, files: Sequence[Migration]) -> None:
    """Note missing checksums; repeated calls change nothing."""
    bare = {row.name for row in open_ledger(database) if row.checksum is None}
    note_checksums(database, [file for file in files if file.name in bare])


def _make_baseline(reached: _Reached, files: Sequence[Migration], why: str) -> Baseline:
    names = tuple(file.name for file in files)
    return Baseline(database=reached.name, uuid=reached.uuid, files=names, why=why)


def _refuse_differences(
    found: Sequence[baseline.SchemaDifference], objects: Mapping[tuple[str, str], Any]
) -> None:
    if not found:
        return
    lines = [
        f"\n      {difference.type} {difference.name} {_WORDS[difference.kind]}"
        for difference in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        lines.append(f"\n      and {len(found) - _SHOWN} more")
    if is_original(objects):
        message = "it has the tables of the original Flowflare, which differ from this one's"
        remedy = "Keep its rows: flowflare adopt --convert-original FILE writes the SQL for them."
    else:
        message = "its tables are not what the files make"
        remedy = (
            "First make the database and the files agree. To compare the definitions, run: "
            "flowflare migrations baseline"
        )
    raise MigrationError(message + ":" + "".join(lines), remedy=remedy)
