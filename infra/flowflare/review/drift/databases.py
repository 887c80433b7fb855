"""Compares D1 databases: the ledger with state's files, the tables with what those files make."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flowflare.errors import MigrationError
from flowflare.migrations.baseline import Difference, differences
from flowflare.migrations.files import Migration, migration
from flowflare.migrations.schema import LEDGER_TABLES, OBJECTS
from flowflare.review.drift.account import Account
from flowflare.review.drift.model import Drifted
from flowflare.review.drift.scene import Scene, as_sent, differing, drifted, shown, text
from flowflare.state.checkpoint import Resource
from flowflare.values.properties import UNKNOWN, plain

_LEDGERS: Final = (
    "SELECT name FROM sqlite_master "  # noqa: S608 -- constants
    f"WHERE type = 'table' AND name IN {LEDGER_TABLES};"
)
_NAMES: Final = "SELECT name FROM d1_migrations ORDER BY id;"
_CHECKSUMS: Final = "SELECT name, checksum FROM flowflare_migrations;"
_WORDS: Final = {
    "missing": "is not in the database",
    "extra": "is in the database, and no file makes it",
    "different": "is not as the files make it",
}


def compare_databases(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the databases of a stack."""
    migrated = {text(one, "database_id"): one for one in scene.of_kind("D1Migrations")}
    for one in scene.of_kind("D1Database"):
        files = migrated.pop(one.id, None)
        replication = as_sent(one.inputs.get("readReplication"))
        if files is None or replication:
            live = account.database(one.id)
            if live is None:
                yield _gone(one)
                continue
            for path, before, after in (
                differing(replication, live.get("read_replication"), "read_replication")
                if replication
                else ()
            ):
                message = f"{path} is {shown(after)}, state says {shown(before)}"
                yield drifted(one, "changed", message, path=path, state=before, account=after)
        if files is not None:
            yield from _migrations(scene, one, files, account)
    for uuid, files in migrated.items():  # of a database that somebody else declares
        yield from _migrations(scene, files, files, account) if uuid else ()


def _gone(one: Resource) -> Drifted:
    name = text(one, "name") or one.id
    message = f"database {name} is not in the account; its data went with it"
    return drifted(one, "missing", message, state=one.id, severity="error", action="restore")


def _migrations(
    scene: Scene, database: Resource, one: Resource, account: Account
) -> Iterator[Drifted]:
    if UNKNOWN in (one.inputs.get("migrations"), one.outputs.get("applied")):
        return
    answers = account.query(text(one, "database_id"), OBJECTS + _LEDGERS)
    if answers is None:
        yield _gone(database)
        return
    objects, tables = answers[0], {str(row["name"]) for row in answers[1]}
    ledger = _ledger(account, text(one, "database_id"), tables)
    applied = _applied(one)
    yield from _rows(one, applied, ledger)
    files = [each for each in _files(one) if each.name in applied]
    made = {
        (str(row["type"]), str(row["name"])): str(row["sql"])
        for row in objects
        if row.get("sql") is not None
    }
    try:
        found = differences(made, files)
    except MigrationError as error:
        scene.note(one, f"{error.message}; its tables were not compared")
        return
    yield from (_object(one, each) for each in found)


def _ledger(account: Account, uuid: str, tables: set[str]) -> dict[str, str | None]:
    """File to checksum, None where wrangler applied it, in the ledger's order."""
    if "d1_migrations" not in tables:
        return {}
    ours = "flowflare_migrations" in tables
    answers = account.query(uuid, _NAMES + (_CHECKSUMS if ours else "")) or [[]]
    known = {str(row["name"]): row["checksum"] for row in answers[1]} if ours else {}
    return {str(row["name"]): known.get(str(row["name"])) for row in answers[0]}


def _rows(
    one: Resource, applied: Mapping[str, str], ledger: Mapping[str, str | None]
) -> Iterator[Drifted]:
    for name in sorted(applied.keys() - ledger.keys()):
        message = f"{name} is not in the database's ledger any more: it would be applied again"
        yield drifted(
            one,
            "missing",
            message,
            path=f'applied["{name}"]',
            state=applied[name],
            severity="error",
            action="restore",
        )
    for name in sorted(ledger.keys() - applied.keys()):
        message = f"{name} was applied from elsewhere"
        yield drifted(
            one,
            "extra",
            message,
            path=f'applied["{name}"]',
            account=ledger[name] or "",
            action="adopt",
        )
    for name in sorted(applied.keys() & ledger.keys()):
        there = ledger[name]
        if there is not None and there != applied[name]:
            message = f"{name} is in the ledger with another checksum: another file was applied"
            yield drifted(
                one,
                "changed",
                message,
                path=f'applied["{name}"]',
                state=applied[name],
                account=there,
                severity="error",
                action="restore",
            )


def _object(one: Resource, found: Difference) -> Drifted:
    kind: Any = {"different": "changed"}.get(found.kind, found.kind)
    return drifted(
        one,
        kind,
        f"{found.type} {found.name} {_WORDS[found.kind]}",
        path=f'{found.type}["{found.name}"]',
        state=found.files,
        account=found.database,
        severity="warning" if found.kind == "extra" else "error",
        action="adopt" if found.kind == "extra" else "restore",
    )


def _applied(one: Resource) -> dict[str, str]:
    listed: Sequence[Any] = plain(one.outputs.get("applied") or [])
    return {str(row["name"]): str(row["checksum"]) for row in listed}


def _files(one: Resource) -> list[Migration]:
    listed: Sequence[Any] = plain(one.inputs.get("migrations") or [])
    return [migration(str(row["name"]), str(row["sql"])) for row in listed]
