"""Reserve standard output for a command's JSON.

A Pulumi program may print, write to descriptor 1, or start other programs that do. With `--json`
all of that goes to standard error, so that standard output is one JSON document.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

_kept: TextIO | None = None
_runs_command = False


def open_answer_stream() -> TextIO:
    """Return the stream for a command's result: standard output as it was at the start."""
    return _kept or sys.stdout


def keep_standard_output() -> None:
    """Redirect standard output to standard error, except for what goes to `open_answer_stream()`.

    Descriptor 1 stays redirected until the process ends, because functions that a program
    registers with `atexit` may print too. `restore_standard_output` restores the stream of a
    caller in this process. Outside its block this does nothing, because some callers only parse
    command lines, such as the tests of the documentation.
    """
    global _kept  # noqa: PLW0603 -- there is one standard output
    before = sys.stdout
    if not _runs_command or _kept is not None or before is None:
        return
    before.flush()
    process_output = sys.__stdout__
    if process_output is not None and before is process_output:
        encoding, errors = process_output.encoding, process_output.errors
        _kept = os.fdopen(os.dup(1), "w", encoding=encoding, errors=errors)
        _redirect_to_standard_error()
    else:
        _kept, sys.stdout = before, sys.stderr


@contextlib.contextmanager
def restore_standard_output() -> Iterator[None]:
    """At the end of the block, restore the standard output of a caller in this process."""
    global _kept, _runs_command  # noqa: PLW0603 -- there is one standard output
    before, kept_before, ran_before = sys.stdout, _kept, _runs_command
    _runs_command = True
    try:
        yield
    finally:
        _runs_command = ran_before
        if before is not sys.__stdout__:
            sys.stdout, _kept = before, kept_before


def _redirect_to_standard_error() -> None:
    try:
        os.dup2(2, 1)
    except OSError:  # the process was started without standard error
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.close(nothing)
