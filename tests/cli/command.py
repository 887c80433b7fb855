"""Runs the command line in this process; returns its output and its exit code."""

import contextlib
import io
from dataclasses import dataclass

from flowflare.cli.main import main


@dataclass(frozen=True)
class CliResult:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def flowflare(*words: str) -> CliResult:
    """Run a command like the installed program; its outputs are not terminals."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return CliResult(code, out.getvalue(), err.getvalue())
