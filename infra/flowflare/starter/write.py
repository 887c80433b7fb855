"""Write the files of a new project, and never overwrite an existing file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StarterFile:
    """A file of a new project."""

    path: str
    content: bytes


@dataclass(frozen=True)
class WrittenFiles:
    """What a run wrote.

    Attributes:
        created: the paths of the files that it wrote.
        kept: the paths of existing files, which it did not change.
    """

    created: tuple[str, ...]
    kept: tuple[str, ...]


def write_missing(root: Path, files: Sequence[StarterFile]) -> WrittenFiles:
    """Write each file that is missing, in order. Each file appears whole or not at all.

    Args:
        root: the project's folder, which is created if it is missing.

    Raises:
        OSError: a file or folder cannot be created.
    """
    written = {file.path: _write(root / file.path, file.content) for file in files}
    return WrittenFiles(
        created=tuple(path for path, is_new in written.items() if is_new),
        kept=tuple(path for path, is_new in written.items() if not is_new),
    )


def _write(path: Path, content: bytes) -> bool:
    draft = path.with_name(f".{path.name}.flowflare-init")
    if os.path.lexists(path):
        draft.unlink(missing_ok=True)  # of a run that was killed
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return True
