"""The entry point: run a command, and turn errors into messages and exit codes."""

import errno
import functools
import gc
import os
import sys
import traceback
from typing import TYPE_CHECKING

from flowflare.cli.answer_stream import restore_standard_output
from flowflare.cli.hints import forget_stack, name_stack
from flowflare.errors import FlowflareError
from flowflare.redaction.run import open_redactor

if TYPE_CHECKING:
    from typer._click import Command

# Errors of writing to an open file, which do not name the file.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# Imports create some 100,000 objects that live as long as the process.
_NEW_OBJECTS = 50_000


def run() -> None:
    """Run the command line in a process of its own.

    The garbage collector took a fifth of the CPU of a short command, half of it at exit, to
    search the imported modules for cycles. Here it starts less often, and skips them at exit.
    """
    gc.set_threshold(_NEW_OBJECTS, 20, 20)
    try:
        with open_redactor(os.environ):
            try:
                main()
            finally:
                _finish_code()
    finally:
        gc.freeze()


def _finish_code() -> None:
    from flowflare.redaction.output import finish_code

    finish_code()


def main(words: list[str] | None = None) -> None:
    """Run `flowflare`. Exits with 0, with 1 for an error, or with 2 for wrong usage.

    Args:
        words: the command line without the program's name; None for this process's own.
    """
    forget_stack()
    try:
        with open_redactor(os.environ) as redactor, restore_standard_output():
            try:
                _find_command()(words, prog_name="flowflare")
            except (FlowflareError, OSError):
                raise
            except Exception:  # noqa: BLE001 -- a bug; its traceback may quote a secret
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
        remedy = "Free some space and run it again." if error.errno in _FULL else None
        _show(FlowflareError(f"{what}: {error.strerror}", remedy=remedy))
        sys.exit(1)


@functools.cache
def _find_command() -> "Command":
    """Build the tree of commands once: it costs 0.04 s of CPU, and tests run many commands."""
    from typer.main import get_command

    from flowflare.cli.app import app

    return get_command(app)


def _show(error: FlowflareError) -> None:
    from flowflare.cli.console import open_stderr

    message = _escape_controls(name_stack(error.message))
    remedy = _escape_controls(name_stack(error.remedy or ""))
    open_stderr().print(f"error: {message}", style="red", markup=False, highlight=False)
    if remedy:
        open_stderr().print(f"  {remedy}", markup=False, highlight=False)


def _escape_controls(text: str) -> str:
    """Escape control characters: messages quote names, which may come from anywhere."""
    return "".join(
        character if character in "\n\t" or character.isprintable() else ascii(character)[1:-1]
        for character in text.replace("\r\n", "\n")
    )
