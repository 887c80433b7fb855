"""The entry point: runs a command and turns what goes wrong into a sentence and an exit code."""

import errno
import functools
import gc
import os
import sys
import traceback
from typing import TYPE_CHECKING

from flowflare.cli.answer_stream import restoring_standard_output
from flowflare.errors import FlowflareError
from flowflare.redaction.run import open_redactor

if TYPE_CHECKING:
    from typer._click import Command

# Writing says so of a file that is open, and then without its name.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# Imports make some 100,000 objects that live as long as the process.
_NEW_OBJECTS = 50_000


def run() -> None:
    """Run the command line of a process that does nothing else.

    Looking for cycles among the imported modules took a fifth of the CPU of a short command, half
    of it at exit: the collector starts less often here, and has nothing to look at in the end.
    """
    gc.set_threshold(_NEW_OBJECTS, 20, 20)
    try:
        main()
    finally:
        gc.freeze()


def main(words: list[str] | None = None) -> None:
    """Runs `flowflare`: exit code 0, 1 for a problem the reader can solve, 2 for wrong usage.

    Args:
        words: the command line without the program's name; None for this process's own.
    """
    try:
        with open_redactor(os.environ) as redactor, restoring_standard_output():
            try:
                _command()(words, prog_name="flowflare")
            except (FlowflareError, OSError):
                raise
            except Exception:  # noqa: BLE001 -- a mistake of ours; its traceback may quote a secret
                sys.stderr.write(redactor.redact(traceback.format_exc()))
                sys.exit(1)
    except FlowflareError as error:
        _show(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `flowflare outputs | head`
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.filename is None and error.errno not in _FULL:
            raise
        what = error.filename or "a file could not be written"
        remedy = "Make room and run it again." if error.errno in _FULL else None
        _show(FlowflareError(f"{what}: {error.strerror}", remedy=remedy))
        sys.exit(1)


@functools.cache
def _command() -> "Command":
    """The tree of commands; building it costs 0.04 s of CPU, and a process may run several."""
    from typer.main import get_command

    from flowflare.cli.app import app

    return get_command(app)


def _show(error: FlowflareError) -> None:
    from flowflare.cli.console import messages

    message, remedy = _harmless(error.message), _harmless(error.remedy or "")
    messages().print(f"error: {message}", style="red", markup=False, highlight=False)
    if remedy:
        messages().print(f"  {remedy}", markup=False, highlight=False)


def _harmless(text: str) -> str:
    """The text without what drives a terminal: it quotes names that anybody may have written."""
    kept = text.replace("\r\n", "\n")
    return "".join(one if one in "\n\t" or one.isprintable() else ascii(one)[1:-1] for one in kept)
