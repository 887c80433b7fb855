"""Compare migrations of D1 databases: the ledger and the tables with the files in state."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flowflare.errors import MigrationError
from flowflare.kinds import d1_database
from flowflare.kinds.account import Account
from flowflare.kinds.d1_database.drift import is_looked_at, report_gone
from flowflare.kinds.d1_migrations import KIND
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import Record, Scene, make_finding, text
from flowflare.migrations.baseline import compare_objects
from flowflare.migrations.files import Migration, make_migration
from flowflare.migrations.ledger import DEFAULT_TABLE, quote_name, select_tables
from flowflare.migrations.plan import sort_as_applied
from flowflare.migrations.repairs import HandMade, describe_difference
from flowflare.migrations.schema import select_objects
from flowflare.values.properties import UNKNOWN, plain

_NAMES: Final = "SELECT name FROM {} ORDER BY id;"
_CHECKSUMS: Final = "SELECT name, checksum FROM flowflare_migrations;"
_RECORD: Final = "Then record it here as applied: INSERT INTO {} (name) VALUES ('<file>');"
_WORDS: Final = {
    "missing": "is not in the database",
    "extra": "is in the database, and no file makes it",
    "different": "is not as the files make it",
}


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in the databases with migrations."""
    databases = {record.id: record for record in scene.of_kind(d1_database.KIND)}
    for record in scene.of_kind(KIND):
        uuid = text(record, "database_id")
        if uuid:  # the database may be another program's
            yield from _compare_migrations(scene, databases.get(uuid, record), record, account)


def _compare_migrations(
    scene: Scene, database: Record, record: Record, account: Account
) -> Iterator[Drifted]:
    if UNKNOWN in (record.inputs.get("migrations"), record.outputs.get("applied")):
        return
    table = text(record, "table") or DEFAULT_TABLE
    sql = select_objects(table) + select_tables(table)
    answers = account.query(text(record, "database_id"), sql)
    if answers is None:
        if not is_looked_at(database, has_files=True):
            yield report_gone(database)
        return
    objects, tables = answers[0], {str(row["name"]) for row in answers[1]}
    ledger = _read_ledger(account, text(record, "database_id"), tables, table)
    applied = _read_applied(record)
    files = {file.name: file for file in _parse_files(record) if file.name in applied}
    yield from _compare_ledger(record, applied, ledger, files)
    made = {
        (str(row["type"]), str(row["name"])): str(row["sql"])
        for row in objects
        if row.get("sql") is not None
    }
    try:
        found = compare_objects(made, sort_as_applied([*files.values()], ledger))
    except MigrationError as error:
        scene.note(record, f"{error.message}; its tables were not compared")
        return
    for difference in found:
        yield from (_report_object(record, part) for part in describe_difference(difference))


def _read_ledger(
    account: Account, uuid: str, tables: set[str], table: str
) -> dict[str, str | None]:
    """Return the ledger's files in order, each with its checksum; None if wrangler applied it."""
    if table not in tables:
        return {}
    ours = "flowflare_migrations" in tables
    names = _NAMES.format(quote_name(table))
    answers = account.query(uuid, names + (_CHECKSUMS if ours else "")) or [[]]
    known = {str(row["name"]): row["checksum"] for row in answers[1]} if ours else {}
    return {str(row["name"]): known.get(str(row["name"])) for row in answers[0]}


def _compare_ledger(
    record: Record,
    applied: Mapping[str, str],
    ledger: Mapping[str, str | None],
    files: Mapping[str, Migration],
) -> Iterator[Drifted]:
    for name in sorted(applied.keys() - ledger.keys()):
        message = f"{name} is not in the database's ledger any more: it would be applied again"
        yield make_finding(
            record,
            "missing",
            message,
            path=f'applied["{name}"]',
            state=applied[name],
            severity="error",
            action="restore",
        )
    for name in sorted(ledger.keys() - applied.keys()):
        message = f"{name} was applied from elsewhere"
        yield make_finding(
            record,
            "extra",
            message,
            path=f'applied["{name}"]',
            account=ledger[name] or "",
            action="adopt",
        )
    for name in sorted(applied.keys() & ledger.keys()):
        there = ledger[name]
        is_same = there in (None, applied[name]) or (
            name in files and files[name].has_checksum(there)
        )
        if not is_same:
            message = f"{name} is in the ledger with another checksum: another file was applied"
            yield make_finding(
                record,
                "changed",
                message,
                path=f'applied["{name}"]',
                state=applied[name],
                account=there or "",
                severity="error",
                action="restore",
            )


def _report_object(record: Record, found: HandMade) -> Drifted:
    difference = found.difference
    kind: Any = {"different": "changed"}.get(difference.kind, difference.kind)
    is_extra = difference.kind == "extra"
    ways = [f"To undo it: {found.undo}"] if found.undo else []
    if found.adopt and found.is_run_again:
        ways.append(f"To adopt it, write a new file: {found.adopt}")
    elif found.adopt:
        table = quote_name(text(record, "table") or DEFAULT_TABLE)
        ways.append(f"To adopt it, write a new file: {found.adopt} {_RECORD.format(table)}")
    return make_finding(
        record,
        kind,
        ". ".join([f"{found.name} {_WORDS[difference.kind]}", *ways]),
        path=found.path,
        state=difference.files,
        account=difference.database,
        severity="warning" if is_extra else "error",
        action="adopt" if is_extra else "restore",
    )


def _read_applied(record: Record) -> dict[str, str]:
    listed: Sequence[Any] = plain(record.outputs.get("applied") or [])
    return {str(row["name"]): str(row["checksum"]) for row in listed}


def _parse_files(record: Record) -> list[Migration]:
    listed: Sequence[Any] = plain(record.inputs.get("migrations") or [])
    return [make_migration(str(row["name"]), str(row["sql"])) for row in listed]
