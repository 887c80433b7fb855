"""Run one command of the CLI in a process that ends with the thread that waits for it.

The CLI's output goes into memory, not through a pipe. A CLI that writes to a pipe without a reader
dies at once, before it has written the state and released its lock.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from flowflare.engine.pulumi_cli.children import wrap_command
from flowflare.engine.pulumi_cli.command import Cli

# Seconds between two checks of a running CLI.
_PACE = 0.05


class CommandFailedError(Exception):
    """A command of the CLI ended with an exit code other than 0.

    Args:
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
    """

    def __init__(self, stdout: str, stderr: str) -> None:
        super().__init__(stderr or stdout)
        self.stdout = stdout
        self.stderr = stderr


def run_command(  # noqa: PLR0913 -- the parts of a process, by keyword
    cli: Cli,
    words: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    given: str = "",
    inherited: Sequence[int] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> str:
    """Run a command to its end; after Ctrl-C too, wait until it has ended.

    Ctrl-C reaches the CLI as well: it ends the current step, writes the state and releases its
    lock.

    Args:
        words: the command's words; `--non-interactive` is added.
        environ: variables besides those of this process.
        given: the text of its standard input, which may contain secrets.
        inherited: file descriptors that it inherits.
        meanwhile: called repeatedly while it runs, and once after its end.

    Returns:
        What it wrote to standard output.

    Raises:
        CommandFailedError: it ended with an exit code other than 0.
        KeyboardInterrupt: Ctrl-C was pressed, and the command has ended.
    """
    command = wrap_command(str(cli.path.absolute()), [*words, "--non-interactive"])
    variables = environment(cli, environ)
    interrupted: KeyboardInterrupt | None = None
    with (
        _hold(given) as text,
        _memory() as out,
        _memory() as err,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=variables,
            stdin=text,
            stdout=out,
            stderr=err,
            pass_fds=inherited,
        ) as process,
    ):
        try:
            while process.poll() is None:
                try:
                    meanwhile()
                    time.sleep(_PACE)
                except KeyboardInterrupt as error:
                    interrupted = error
            meanwhile()
        finally:
            process.wait()
        texts = _text(out), _text(err)
    if interrupted is not None:
        raise interrupted
    if process.returncode != 0:
        raise CommandFailedError(*texts)
    return texts[0]


def environment(cli: Cli, environ: Mapping[str, str]) -> dict[str, str]:
    """Make the environment of a command; PATH begins with the CLI's folder, for language hosts.

    Args:
        environ: variables besides those of this process.
    """
    variables = {**os.environ, **environ, "PULUMI_AUTOMATION_API": "true"}
    beside = [str(cli.path.absolute().parent), variables.get("PATH", os.defpath)]
    return {**variables, "PATH": os.pathsep.join(beside)}


def _hold(text: str) -> IO[bytes]:
    """Open an unnamed file that contains a string."""
    file = _memory()
    file.write(text.encode())
    file.seek(0)
    return file


def _memory() -> IO[bytes]:
    """Open an unnamed file: its content may have decrypted secrets."""
    if sys.platform != "linux":
        return tempfile.TemporaryFile()
    return os.fdopen(os.memfd_create("pulumi"), "w+b")


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(line.rstrip() for line in lines)
