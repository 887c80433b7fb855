"""The command line in this process: what it writes, and the exit code it ends with."""

import contextlib
import io
from dataclasses import dataclass

from flowflare.cli.main import main


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


def flowflare(*words: str) -> Said:
    """Runs a command as the installed program does; neither of its outputs is a terminal."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())
