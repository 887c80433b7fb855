"""Compare D1 databases: whether they exist, and their read replication."""

from collections.abc import Iterator

from flowflare.kinds import d1_migrations
from flowflare.kinds.account import Account
from flowflare.kinds.d1_database import KIND
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import (
    Record,
    Scene,
    as_sent,
    find_differences,
    format_value,
    make_finding,
    text,
)


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in a stack's databases, without their migrations."""
    migrated = {text(record, "database_id") for record in scene.of_kind(d1_migrations.KIND)}
    for record in scene.of_kind(KIND):
        if not is_looked_at(record, has_files=record.id in migrated):
            continue
        live = account.database(record.id)
        if live is None:
            yield report_gone(record)
            continue
        wanted = as_sent(record.inputs.get("readReplication")) or {}
        there = live.get("read_replication")
        for path, before, after in (
            find_differences(wanted, there, "read_replication") if wanted else ()
        ):
            message = f"{path} is {format_value(after)}, but state has {format_value(before)}"
            yield make_finding(record, "changed", message, path=path, state=before, account=after)


def is_looked_at(record: Record, *, has_files: bool) -> bool:
    """Whether to read the database itself; otherwise the query for its tables finds it missing."""
    return not has_files or bool(record.inputs.get("readReplication"))


def report_gone(record: Record) -> Drifted:
    """Report that a database is missing.

    Args:
        record: the record, or that of its migrations if another program declares the database.
    """
    name = text(record, "name") or record.id
    message = f"database {name} is not in the account; its data went with it"
    return make_finding(
        record, "missing", message, state=record.id, severity="error", action="restore"
    )
