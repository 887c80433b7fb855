"""Record every stack of the given commits, each commit in its own process with its own code.

The processes get no credentials: only the environment variables needed to find and run programs
are passed on, and the home folder is empty. Where Linux allows it, they have no network, write
nothing but their own folders, and read no files of this user and no other process (`isolation.py`).
Elsewhere a program has the rights of the calling user, so record commits of strangers in a
container.
"""

import base64
import json
import os
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from flowflare import library
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.render.node import find_node_packages, find_node_place
from flowflare.review import isolation
from flowflare.review.checkout import Checkout

FORMAT: Final = 1
#: Seconds that a process may take for one stack.
PATIENCE: Final = 120.0
_PROCESS: Final = "flowflare.review.recording_process"
# The environment variables that a program may see: no tokens, no keys, nothing about the account.
_ALLOWED_VARIABLES: Final = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TZ")
# Replaces the name of the folder that a commit is checked out into.
_FOLDER_WORD: Final = "<checkout>"
_OWN_FOLDER_WORD: Final = "<temporary>"
# Files in the working tree that hold secrets, if this package is part of it.
_PRIVATE: Final = (".git", ".flowflare", ".env", ".dev.vars")
_POLL_SECONDS: Final = 0.05
_LAST_WORDS: Final = 20_000


@dataclass(frozen=True)
class CommitRecording:
    """What every stack of a commit declares, in dumped form.

    Attributes:
        stacks: stack name to its recording, as `engine.embedded.recording.dump` makes it. Its
            `words` map the words that naturally differ between stacks to common words.
        texts: long strings by digest.
        error: why the commit could not be recorded at all; empty if it could.
        is_absent: whether the reason is that no folder of the commit has such a project.
    """

    project: str = ""
    stacks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    is_absent: bool = False


def record_commits(  # noqa: PLR0913 -- the options are given by name
    checkouts: Sequence[Checkout],
    stacks: Sequence[str] | None,
    key: bytes,
    *,
    patience: float = PATIENCE,
    sources: bool = False,
    installed: Sequence[Path] = (),
    on_progress: Callable[[int], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> tuple[CommitRecording, ...]:
    """Record the same project in several checkouts concurrently.

    Args:
        stacks: the stacks to record; None for all that have a file.
        key: stamps secrets.
        patience: seconds that one stack may take.
        sources: whether Workers are shown without their npm packages, installed or not.
        installed: folders with packages that the checkouts link to.
        on_progress: receives the number of stacks of all checkouts that have been recorded.
        on_warning: receives a warning if the programs can use the network and this user's files.

    Returns:
        One recording for each checkout; a failed recording has an error.
    """
    with ExitStack() as running:
        # Its name is in variables that a program reads, and must not identify a recording.
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        folder = folder.resolve()
        why = isolation.explain_missing(_make_limits((), folder, installed))
        if why and on_warning is not None:
            on_warning(f"{_NOT_ISOLATED} ({why}). {_CONTAINER}")
        running.enter_context(isolation.hide_memory())
        readable = None if why else installed
        processes = [
            _RecordingRun(
                checkout, stacks, key, folder / str(number), sources=sources, readable=readable
            )
            for number, checkout in enumerate(checkouts)
        ]
        for process in processes:
            running.callback(process.stop)
        reported = -1
        while [process for process in processes if not process.poll(patience)]:
            count = sum(process.count for process in processes)
            if on_progress is not None and count != reported:
                reported = count
                on_progress(reported)
            time.sleep(_POLL_SECONDS)
        return tuple(process.recording() for process in processes)


_NOT_ISOLATED: Final = (
    "The programs of the commits can use the network and this user's files, because this machine "
    "cannot isolate them"
)
_CONTAINER: Final = "Run `flowflare diff` in a container if you do not trust the commits."


class _RecordingRun:
    """A process that records one checkout, and its output so far."""

    def __init__(
        self,
        checkout: Checkout,
        stacks: Sequence[str] | None,
        key: bytes,
        folder: Path,
        *,
        sources: bool,
        readable: Sequence[Path] | None,
    ) -> None:
        self._checkout = checkout
        self._folder = folder
        for name in ("home", "tmp", "cache/flowflare"):
            (folder / name).mkdir(parents=True)
        command = [sys.executable, "-B", "-P", "-m", _PROCESS]
        needed = _link_node_packages(checkout, folder / "cache/flowflare")
        if readable is not None:
            limits = _make_limits((checkout,), folder, [*readable, *needed])
            command = isolation.isolate(limits, command)
        self._answer = folder / "answer"
        self._said = folder / "said"
        self._answer.touch()
        self._lines = self._answer.open(encoding="utf-8")
        self._rest = ""
        self._since = time.monotonic()
        self._header: Mapping[str, Any] | None = None
        self._begun = ""
        self._complete = self._over = False
        self._error = ""
        self._project = ""
        self._stacks: dict[str, Mapping[str, Any]] = {}
        self._texts: dict[str, str] = {}
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                command,
                cwd=checkout.root,
                env=_make_environment(checkout, folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        request = {
            "root": str(checkout.root),
            "top": str(checkout.top),
            "stacks": None if stacks is None else list(stacks),
            "key": base64.b64encode(key).decode(),
            "packages": "sources" if sources else "installed",
            "answer": str(self._answer),
        }
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as requests:
            requests.write(json.dumps(request).encode())

    @property
    def count(self) -> int:
        """How many stacks have been recorded."""
        return len(self._stacks)

    def poll(self, patience: float) -> bool:
        """Read new output, and return whether the process has ended or was stopped as too slow."""
        if self._over:
            return True
        has_ended = self._process.poll() is not None
        if self._read():
            self._since = time.monotonic()
        elif not has_ended and time.monotonic() - self._since > patience:
            self._error = f"its program took longer than {patience:.0f} s"
        if has_ended or self._error:
            self.stop()
        return self._over

    def stop(self) -> None:
        """End the process and every process that its program started."""
        if self._over:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._lines.close()
        self._over = True

    def recording(self) -> CommitRecording:
        """Return what was recorded."""
        header = self._header or {}
        if self._header is None:
            words = self._placeless(self._last_words())
            return CommitRecording(error=self._error or _explain(words))
        if header.get("format") != FORMAT:
            text = f"its code records in format {header.get('format')}, not {FORMAT}"
            return CommitRecording(error=text)
        if not self._complete:
            self._give_up([name for name in header["stacks"] if name not in self._stacks])
        return CommitRecording(self._project, self._stacks, self._texts)

    def _give_up(self, missing: Sequence[str]) -> None:
        why = self._error or f"its program ended the process, exit code {self._process.returncode}"
        for name in missing:
            after = "" if name == self._begun else f" while {self._begun} was recorded"
            error = f"{why}{after}"
            raw = {"resources": [], "aliases": {}, "failures": [], "error": error, "words": {}}
            self._stacks[name] = raw

    def _read(self) -> bool:
        """Read the new lines, and return whether there were any."""
        text = self._rest + self._lines.read()
        *lines, self._rest = text.split("\n")
        try:
            for line in lines:
                self._take(_parse_line(self._placeless(line, _encode_json)))
        except (ValueError, TypeError, KeyError, AttributeError):
            self._error = "its program wrote into the recording"
        return bool(lines)

    def _placeless(self, text: str, write: Callable[[str], str] = str) -> str:
        """Replace the checkout's folder in a string, because its name differs in every run.

        Args:
            write: encodes the folder's name in the same way as the text.
        """
        for folder in (self._checkout.root, self._checkout.top):
            text = text.replace(write(str(folder)), _FOLDER_WORD)
        return text.replace(write(str(self._folder)), _OWN_FOLDER_WORD)

    def _take(self, line: Mapping[str, Any]) -> None:
        if "format" in line:
            self._header = line
        elif "begin" in line:
            self._begun = line["begin"]
        elif "stack" in line:
            self._project = line["project"] or self._project
            self._texts |= line["texts"]
            self._stacks[line["stack"]] = line["recorded"]
        elif "error" in line:
            self._error = line["error"]
        else:
            self._complete = True

    def _last_words(self) -> str:
        with self._said.open("rb") as said:
            said.seek(max(0, self._said.stat().st_size - _LAST_WORDS))
            return said.read().decode(errors="replace")


def _encode_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _parse_line(line: str) -> Any:
    """Parse a line. File names may contain bytes that are not valid text; reports replace them."""
    return parse_json(line)


def _make_environment(checkout: Checkout, folder: Path) -> dict[str, str]:
    environment = {name: os.environ[name] for name in _ALLOWED_VARIABLES if name in os.environ}
    environment |= {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONHASHSEED": "0",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    own = _find_own_release(checkout)
    return environment | ({"PYTHONPATH": str(own / "infra")} if own else {})


def _find_own_release(checkout: Checkout) -> Path | None:
    """Find the folder of a commit that has this package's own code."""
    folders = (checkout.root, checkout.top)
    return next(
        (path for path in folders if (path / "infra" / "flowflare" / "__init__.py").is_file()), None
    )


def _link_node_packages(checkout: Checkout, cache: Path) -> list[Path]:
    """Link the installed packages of Node into a cache of the process's own, and return them."""
    place = find_node_place()
    own = _find_own_release(checkout)
    try:
        place = replace(place, lock=own) if own else place
        found = find_node_packages(checkout.project, place=place)
        if found is None:
            return []
        (cache / place.package_folder().name).symlink_to(found.parent)
    except (OSError, JsonError):
        return []  # files of the commit, whose own code reports them
    return [found]


def _make_limits(
    checkouts: Sequence[Checkout], folder: Path, readable: Sequence[Path]
) -> dict[str, list[str]]:
    """Return the folders that a process may write and read, and what it must not read."""
    projects = [checkout.project for checkout in checkouts]
    private = [
        place / name
        for project in (*projects, library.node_project())
        for place in (project, *project.parents)
        for name in _PRIVATE
    ]
    own = (library.node_project(), Path(library.__file__).parent.parent)
    code = [Path(sys.prefix), Path(sys.base_prefix), Path(site.getusersitepackages()), *own]
    paths = {str(name) for path in [*code, *readable] for name in (path, path.resolve())}
    return {
        "writable": [str(path) for path in (folder, *(checkout.top for checkout in checkouts))],
        "readable": sorted(paths),
        "hidden": isolation.list_hidden([*projects, *private]),
    }


def _explain(words: str) -> str:
    if "No module named" in words and "flowflare." in words:
        return "its code is older than the recording format"
    return next(
        (line for line in reversed(words.splitlines()) if line.strip()),
        "its process ended without a message",
    )
