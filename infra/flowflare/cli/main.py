"""The entry point: runs a command and turns what goes wrong into a sentence and an exit code."""

import sys

from flowflare.errors import FlowflareError


def main(words: list[str] | None = None) -> None:
    """Runs `flowflare`: exit code 0, 1 for a problem the reader can solve, 2 for wrong usage.

    Args:
        words: the command line without the program's name; None for this process's own.
    """
    from flowflare.cli.app import app

    try:
        app(words, prog_name="flowflare")
    except FlowflareError as error:
        _show(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `flowflare outputs | head`
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.filename is None:
            raise
        _show(FlowflareError(f"{error.filename}: {error.strerror}"))
        sys.exit(1)


def _show(error: FlowflareError) -> None:
    from flowflare.cli.console import messages

    messages().print(f"error: {error.message}", style="red", markup=False, highlight=False)
    if error.remedy:
        messages().print(f"  {error.remedy}", markup=False, highlight=False)
