"""Export one stack's databases, as a task of the pool."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowflare.config.files import private_folder
from flowflare.engine.access import read_base_url
from flowflare.engine.contract import Stack
from flowflare.fleet.exports.exporter import Exporter, StackDatabase, databases_of, export_store
from flowflare.fleet.workers.context import TaskContext


def export(context: TaskContext) -> dict[str, Any]:
    """Export the databases in the stack's state.

    Args:
        context: the stack; its option `exports` is the place for exports.

    Returns:
        `{place, databases: {name: rows}}`; no databases if the stack has none.

    Raises:
        FleetError: an export could not be verified; nothing may be deleted then.
        ApiError: the API refused a request.
    """
    stack = context.open_stack()
    with _open_exporter(context, stack) as (exporter, databases, place):
        manifest = exporter.export(databases) if databases else None
    found = manifest.databases if manifest else ()
    rows = {database.name: sum(database.tables.values()) for database in found}
    return {"place": place, "databases": rows}


def require_current(context: TaskContext, stack: Stack) -> None:
    """Check that the exports of a stack's databases are current.

    Args:
        context: the stack; its option `exports` is the place of the exports.

    Raises:
        FleetError: a database has no export, or its rows have changed; nothing may be deleted then.
        ApiError: the API refused a request.
    """
    with _open_exporter(context, stack) as (exporter, databases, _):
        if databases:
            exporter.require_current(databases)


@contextmanager
def _open_exporter(
    context: TaskContext, stack: Stack
) -> Iterator[tuple[Exporter, tuple[StackDatabase, ...], str]]:
    store = export_store(str(context.options["exports"]), context.root, context.environ)
    databases = databases_of(stack.read())
    # Without a database, the API is not called and no token is needed.
    token = stack.token() if databases else ""
    client = context.api.open(read_base_url(context.project, context.environ), token)
    with _make_scratch(context) as scratch:
        exporter = Exporter(client, store, context.stack, scratch, sleep=context.pause)
        yield exporter, databases, store.describe(context.stack)


@contextmanager
def _make_scratch(context: TaskContext) -> "Iterator[Path]":
    """Make a private folder for downloads, and delete what a killed run left in it."""
    folder = private_folder(context.root) / "scratch" / context.stack
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
