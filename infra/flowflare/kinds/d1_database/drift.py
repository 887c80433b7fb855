"""Compares D1 databases: whether they are there, and their read replication."""

from collections.abc import Iterator

from flowflare.kinds import d1_migrations
from flowflare.kinds.account import Account
from flowflare.kinds.d1_database import KIND
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import Record, Scene, as_sent, differing, drifted, shown, text


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the databases of a stack, beside what was applied to them."""
    migrated = {text(one, "database_id") for one in scene.of_kind(d1_migrations.KIND)}
    for one in scene.of_kind(KIND):
        if not is_looked_at(one, has_files=one.id in migrated):
            continue
        live = account.database(one.id)
        if live is None:
            yield report_gone(one)
            continue
        wanted = as_sent(one.inputs.get("readReplication")) or {}
        there = live.get("read_replication")
        for path, before, after in differing(wanted, there, "read_replication") if wanted else ():
            message = f"{path} is {shown(after)}, state says {shown(before)}"
            yield drifted(one, "changed", message, path=path, state=before, account=after)


def is_looked_at(one: Record, *, has_files: bool) -> bool:
    """Whether the database itself is asked for; if not, the query for its tables finds it gone."""
    return not has_files or bool(one.inputs.get("readReplication"))


def report_gone(one: Record) -> Drifted:
    """Report that a database is gone.

    Args:
        one: its record, or that of its migrations where another program declares it.
    """
    name = text(one, "name") or one.id
    message = f"database {name} is not in the account; its data went with it"
    return drifted(one, "missing", message, state=one.id, severity="error", action="restore")
