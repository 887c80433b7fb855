"""Check that the files and folders that clients name exist and are inside the project."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flowflare.config.problems import Finding, mapping, nearest
from flowflare.reading.boundary import find_boundary, is_outside

_SOURCES: Final = ("worker_src/*/src/index.js", "worker_src/*/src/index.ts")


def check_files(clients: Mapping[str, dict[str, Any]], root: Path | None) -> Iterator[Finding]:
    """List what is wrong with the clients' sources and folders of migrations.

    Args:
        clients: the clients' fields by name, as they are written.
        root: the project's folder; None to skip the checks.
    """
    if root is None:
        return
    for client, fields in clients.items():
        yield from _check_source(client, fields, root)
        assets = mapping(fields.get("assets")).get("directory")
        # A build may write the folder later.
        if isinstance(assets, str) and is_outside(root / assets, root):
            yield ("clients", client, "assets", "directory"), *_refuse(assets, root)
        for binding, database in mapping(fields.get("databases")).items():
            folder = mapping(database).get("migrations")
            if isinstance(folder, str):
                for message, remedy in _check_folder(folder, root):
                    path = ("clients", client, "databases", binding, "migrations")
                    yield path, message, remedy


def _check_source(client: str, fields: Mapping[str, Any], root: Path) -> Iterator[Finding]:
    source = fields.get("source")
    if not isinstance(source, str) or not source:
        return
    path = ("clients", client, "source")
    if is_outside(root / source, root):
        yield path, *_refuse(source, root)
    elif not (root / source).is_file():
        known = sorted(
            path.relative_to(root).as_posix() for pattern in _SOURCES for path in root.glob(pattern)
        )
        yield (
            path,
            f"there is no file {source!r}",
            nearest(source, known, "Sources in this project"),
        )


def _check_folder(folder: str, root: Path) -> Iterator[tuple[str, str]]:
    """Check a folder of migrations and its files, which may be symbolic links."""
    if is_outside(root / folder, root):
        yield _refuse(folder, root)
    elif not (root / folder).is_dir():
        remedy = f"Create it with a first file: {folder.rstrip('/')}/0001_create_tables.sql"
        yield f"there is no folder {folder!r}", remedy
    else:
        for file in sorted((root / folder).glob("*.sql")):
            if is_outside(file, root):
                yield _refuse(f"{folder.rstrip('/')}/{file.name}", root)


def _refuse(name: str, root: Path) -> tuple[str, str]:
    message = f"{name!r} is outside of the project"
    return message, f"Name a file in {find_boundary(root)}, or copy it there."
