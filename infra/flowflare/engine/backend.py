"""Where state lies: Pulumi's DIY backend layout in a folder, written atomically.

Keys as in `pkg/backend/diy` of pulumi/pulumi: `.pulumi/meta.yaml`, `.pulumi/stacks/<p>/<s>.json`
with the write before it as `.bak`, `.pulumi/locks/organization/<p>/<s>/`. `pulumi login
file://<folder>` finds the same stacks here.
"""

import contextlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flowflare.engine.state import (
    CheckpointWriter,
    Deployment,
    Sealer,
    read_checkpoint,
    salt_of,
)
from flowflare.engine.values import Opener
from flowflare.errors import StateError

_META: Final = "version: 1\n"


def now() -> str:
    """The time as state writes it, RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Backend:
    """One stack's files in a backend folder.

    Attributes:
        folder: the backend's root; `.pulumi` lies in it.
        project: the project's name.
        stack: the stack's name.
    """

    folder: Path
    project: str
    stack: str

    @property
    def full_name(self) -> str:
        """The stack's name with its project and the DIY backend's only organization."""
        return f"organization/{self.project}/{self.stack}"

    @property
    def file(self) -> Path:
        """The checkpoint file."""
        return self.folder / ".pulumi" / "stacks" / self.project / f"{self.stack}.json"

    @property
    def lock_folder(self) -> Path:
        """The folder that Pulumi keeps this stack's locks in."""
        return self.folder / ".pulumi" / "locks" / self.full_name

    def load(self) -> Any:
        """The checkpoint file's parsed content, None where the stack has none.

        Raises:
            StateError: there is a file, and it is not readable JSON.
        """
        try:
            text = self.file.read_text("utf-8")
        except FileNotFoundError:
            self._refuse_compressed()
            return None
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise StateError(
                f"the state file {self.file} is not valid JSON: {error}",
                remedy=f"The state before the last write is {self.file}.bak: copy it back.",
            ) from None
        return raw

    def salt(self, raw: Any) -> str:
        """The salt string in a file's content, empty where there is none."""
        try:
            return salt_of(raw) if raw else ""
        except (KeyError, TypeError, AttributeError):
            return ""  # reading it will say what is wrong

    def read(self, raw: Any, opener: Opener) -> Deployment:
        """The state in a file's content; nothing is opened.

        Raises:
            StateError: it is not a checkpoint that this engine serves.
        """
        if raw is None:
            return Deployment()
        try:
            return read_checkpoint(raw, opener)
        except StateError as error:
            raise StateError(f"{self.file}: {error.message}", remedy=error.remedy) from None

    def writer(self, sealer: Sealer) -> Callable[[Deployment], None]:
        """What writes the states of one run; who reads sees the whole old or the whole new file.

        Args:
            sealer: seals the secrets.
        """
        version = f"flowflare/{importlib.metadata.version('flowflare')}"
        texts = CheckpointWriter(sealer, stack=self.full_name, version=version)

        def write(deployment: Deployment) -> None:
            text = texts.text(deployment, now())
            self._prepare()
            _keep_previous(self.file)
            replace_file(self.file, text)

        return write

    def _prepare(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        meta = self.folder / ".pulumi" / "meta.yaml"
        if not meta.is_file():
            replace_file(meta, _META)
        elif meta.read_text("utf-8").strip() not in ("version: 1", "version: 0"):
            raise StateError(f"{meta}: this engine writes version 1 of the backend's layout")

    def _refuse_compressed(self) -> None:
        for ending in (".gz", ".zst"):
            other = self.file.with_name(self.file.name + ending)
            if other.exists():
                raise StateError(
                    f"the state is compressed: {other}",
                    remedy="Write it once with the Pulumi CLI without PULUMI_DIY_BACKEND_GZIP.",
                )


def replace_file(path: Path, text: str) -> None:
    """Puts a file in place in one step: a draft beside it, then a rename; both reach the disk.

    Without that a power cut could leave an empty file, or take the rename back: what a run has
    made since would not be known to the next one.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_previous(path: Path) -> None:
    """Makes the present file the `.bak`, without a moment in which there is none."""
    backup = path.with_name(path.name + ".bak")
    draft = path.with_name(f".{path.name}.bak-{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink(missing_ok=True)
        draft.hardlink_to(path)
        draft.replace(backup)
