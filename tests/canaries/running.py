"""Runs commands on a project of canaries and searches all that they print and write."""

import io
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from tests.canaries.planted import Planted
from tests.cli.command import CliResult, flowflare

COMMAND = str(Path(sys.executable).parent / "flowflare")
#: A line of the log of Cloudflare's SDK (`cloudflare/_utils/_logs.py`).
_SDK_LINE = re.compile(r"\[.* - cloudflare[\w.]*:\d+ - DEBUG\] ")
#: The line between two tracebacks of a chain; the first traceback decides whose the chain is.
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
#: Programs that must have secrets in their environment.
_TRUSTED = ("python", "pulumi", "pulumi-language-python")
_OWN = ("PULUMI_", "AWS_", "CLOUDFLARE_", "FLOWFLARE_", "GITHUB_", "GITLAB_", "CI_")


def run_here(made: Planted, *words: str, asked: Collection[str] = ()) -> CliResult:
    """Run a command in this process, which must have the project's environment (`inside`).

    Args:
        made: the project.
        words: the command's words.
        asked: the canaries that the command may print.
    """
    terminal, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO())  # empty, as in `run_process`
    try:
        said = flowflare(*words, *_add_cwd(made, words))
    except Exception:  # noqa: BLE001 -- any exception is a traceback that a user would see
        said = CliResult(1, "", traceback.format_exc())
    finally:
        sys.stdin = terminal
    return _look_at_output(made, words, said, asked)


def run_process(
    made: Planted, *words: str, trusted: Collection[str] = (), **environ: str
) -> CliResult:
    """Run a command in a process, and search the arguments and environments of its children.

    Args:
        made: the project.
        words: the command's words.
        trusted: more programs that may have secrets in their environment.
        environ: variables besides those of the project.
    """
    own = {key: value for key, value in os.environ.items() if not key.startswith(_OWN)}
    with made.canaries.watching_children(but=(*_TRUSTED, *trusted)):
        done = subprocess.run(
            [COMMAND, *words, *_add_cwd(made, words)],
            cwd=made.root,
            env=own | made.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    return _look_at_output(made, words, CliResult(done.returncode, done.stdout, done.stderr))


@contextmanager
def inside(environ: Mapping[str, str]) -> Iterator[None]:
    """Give this process the environment of a project, without its own variables for commands."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(_OWN):
            del os.environ[name]
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _add_cwd(made: Planted, words: tuple[str, ...]) -> tuple[str, ...]:
    return () if "--help" in words else ("--cwd", str(made.root))


def _look_at_output(
    made: Planted, words: tuple[str, ...], said: CliResult, asked: Collection[str] = ()
) -> CliResult:
    command = " ".join(words)
    made.take_states()
    for where, text in ((f"stdout of {command}", said.out), (f"stderr of {command}", said.err)):
        made.canaries.look(where, _remove_asked(text, asked))
        if has_traceback(text):
            made.canaries.seen.append(f"a traceback, in {where}: {text[-2000:]}")
    made.look_at_written(command)
    return said


def has_traceback(text: str) -> bool:
    """Whether a text has a traceback that Cloudflare's SDK did not log.

    The SDK logs errors that it retries or raises, each with its traceback in the lines below.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    return any(
        line.startswith("Traceback (most recent call last)")
        and not (above.startswith(_CHAINED) or _SDK_LINE.match(above))
        for above, line in pairwise(["", *lines])
    )


def _remove_asked(text: str, asked: Collection[str]) -> str:
    for value in asked:
        for form in (value, json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]):
            text = text.replace(form, "[asked for]")
    return text
