"""Records every stack of some commits, each commit in a process of its own with its own code.

The processes get no credentials: of the environment only what finding and running programs needs
is passed on, and the home folder is an empty one. A program runs with the rights of whoever runs
this, so a commit of a stranger belongs into a container or a CI job without secrets.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flowflare.reading.boundary import TOP_VARIABLE
from flowflare.reading.json_text import parse_json
from flowflare.render.packages import VARIABLE
from flowflare.review.checkout import Checkout

FORMAT: Final = 1
#: Seconds that a process may take for one stack.
PATIENCE: Final = 120.0
_PROCESS: Final = "flowflare.review.recording_process"
# What a program may see of the environment: no token, no key, nothing of the account.
_PASSED: Final = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "TZ")
# What stands for the folder that a commit was laid out in.
_HERE: Final = "<checkout>"
_PAUSE: Final = 0.05
_LAST_WORDS: Final = 20_000


@dataclass(frozen=True)
class CommitRecording:
    """What every stack of a commit declares, dumped.

    Attributes:
        project: the project's name.
        stacks: stack to its recording as `engine.recording.dump` makes it, and in `words` what is
            different in every stack by nature with what stands for it.
        texts: long texts by digest.
        error: why nothing of the commit could be recorded; empty when something was.
        is_absent: whether that is because the commit has no such project, in no folder.
    """

    project: str = ""
    stacks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    is_absent: bool = False


def record(
    checkouts: Sequence[Checkout],
    stacks: Sequence[str] | None,
    key: bytes,
    *,
    patience: float = PATIENCE,
    sources: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[CommitRecording, ...]:
    """Records the same project in several checkouts, all at the same time.

    Args:
        checkouts: the commits' files.
        stacks: the stacks to record; None for all that have a file.
        key: stamps secrets.
        patience: seconds that one stack may take.
        sources: whether Workers are shown without their npm packages, installed or not.
        on_progress: is told how many stacks of all checkouts have been recorded.

    Returns:
        One recording for each checkout; one that failed says why.
    """
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="flowflare-")))
        folder = folder.resolve()
        processes = [
            _Process(one, stacks, key, folder / str(number), sources=sources)
            for number, one in enumerate(checkouts)
        ]
        for process in processes:
            running.callback(process.stop)
        told = -1
        while [one for one in processes if not one.poll(patience)]:
            if on_progress is not None and sum(one.count for one in processes) != told:
                told = sum(one.count for one in processes)
                on_progress(told)
            time.sleep(_PAUSE)
        return tuple(process.recording() for process in processes)


class _Process:
    """A process that records one checkout, and what it has written so far."""

    def __init__(
        self,
        checkout: Checkout,
        stacks: Sequence[str] | None,
        key: bytes,
        folder: Path,
        *,
        sources: bool,
    ) -> None:
        self._checkout = checkout
        home = folder / "home"
        home.mkdir(parents=True)
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
                [sys.executable, "-P", "-m", _PROCESS],
                cwd=checkout.root,
                env=_environment(checkout, home)
                | {
                    VARIABLE: "sources" if sources else "installed",
                    TOP_VARIABLE: str(checkout.top),
                },
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
        """Reads what is new; whether the process has ended, or was ended for taking too long."""
        if self._over:
            return True
        gone = self._process.poll() is not None
        if self._read():
            self._since = time.monotonic()
        elif not gone and time.monotonic() - self._since > patience:
            self._error = f"its program took longer than {patience:.0f} s"
        if gone or self._error:
            self.stop()
        return self._over

    def stop(self) -> None:
        """Ends the process and whatever its program has started and left behind."""
        if self._over:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._lines.close()
        self._over = True

    def recording(self) -> CommitRecording:
        """What was recorded."""
        header = self._header or {}
        if self._header is None:
            words = self._placeless(self._last_words())
            return CommitRecording(error=self._error or _reason(words))
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
        """Takes in the lines that are new; whether there were any."""
        text = self._rest + self._lines.read()
        *lines, self._rest = text.split("\n")
        try:
            for line in lines:
                self._take(_read(self._placeless(line, _as_json)))
        except (ValueError, TypeError, KeyError, AttributeError):
            self._error = "its program has written into its recording"
        return bool(lines)

    def _placeless(self, text: str, write: Callable[[str], str] = str) -> str:
        """A text with a word for the checkout's folder, whose name differs in every run.

        Args:
            text: the text.
            write: how the text writes the folder's name.
        """
        for folder in (self._checkout.root, self._checkout.top):
            text = text.replace(write(str(folder)), _HERE)
        return text

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


def _as_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _read(line: str) -> Any:
    """A line's value; names of files may hold bytes that are no text, which no report may hold."""
    return parse_json(line)


def _environment(checkout: Checkout, home: Path) -> dict[str, str]:
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {
        "HOME": str(home),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
    }
    for folder in (checkout.root, checkout.top):
        if (folder / "infra" / "flowflare" / "__init__.py").is_file():
            environment["PYTHONPATH"] = str(folder / "infra")
            break
    return environment


def _reason(words: str) -> str:
    if "No module named" in words and "flowflare." in words:
        return "its code is older than recordings"
    return next(
        (line for line in reversed(words.splitlines()) if line.strip()), "it ended silently"
    )
