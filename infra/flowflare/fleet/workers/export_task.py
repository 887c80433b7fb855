"""A worker's task: exports one stack's databases and says what the export holds."""

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowflare.engine.contract import Stack
    from flowflare.fleet.exports.exporter import Exporter, OneDatabase
    from flowflare.fleet.workers.scene import Scene


def export(scene: "Scene") -> dict[str, Any]:
    """Exports the databases that the stack's state has.

    Args:
        scene: the stack; its option `exports` says where exports go.

    Returns:
        `{place, databases: {name: rows}}`; no databases where the stack has none.

    Raises:
        FleetError: an export could not be proven; nothing is to be deleted then.
        ApiError: the API refused.
    """
    stack = scene.opened()
    with _exporter(scene, stack) as (exporter, databases, place):
        manifest = exporter.export(databases) if databases else None
    found = manifest.databases if manifest else ()
    return {"place": place, "databases": {one.name: sum(one.tables.values()) for one in found}}


def require_current(scene: "Scene", stack: "Stack") -> None:
    """Sees that a stack's databases are as their exports have them.

    Args:
        scene: the stack; its option `exports` says where exports are.
        stack: the stack on its engine.

    Raises:
        FleetError: one has no export, or other rows by now; nothing is to be deleted then.
        ApiError: the API refused.
    """
    with _exporter(scene, stack) as (exporter, databases, _):
        if databases:
            exporter.require_current(databases)


@contextmanager
def _exporter(
    scene: "Scene", stack: "Stack"
) -> "Iterator[tuple[Exporter, tuple[OneDatabase, ...], str]]":
    from flowflare.engine.access import base_url
    from flowflare.fleet.exports.exporter import Exporter, databases_of, export_store

    store = export_store(str(scene.options["exports"]), scene.root, scene.environ)
    databases = databases_of(stack.read())
    # Without a database nobody is called, and no token needed.
    token = stack.token() if databases else ""
    client = scene.api.open(base_url(scene.project, scene.environ), token)
    with _scratch(scene) as scratch:
        exporter = Exporter(client, store, scene.stack, scratch, sleep=scene.pause)
        yield exporter, databases, store.shown(scene.stack)


@contextmanager
def _scratch(scene: "Scene") -> "Iterator[Path]":
    """A private folder for what is fetched; what a killed run left in it is removed."""
    from flowflare.config.files import private_folder

    folder = private_folder(scene.root) / "scratch" / scene.stack
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
