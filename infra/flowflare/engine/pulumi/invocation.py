"""Runs one command of the CLI in a process that ends with the thread that waits for it.

What the CLI prints goes into memory, not through a pipe: a CLI that writes to a pipe which nobody
reads any more dies on the spot, before it has written state and given up its lock.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from flowflare.engine.pulumi.children import launched
from flowflare.engine.pulumi.command import Cli

# Seconds between two looks at a CLI that runs.
_PACE = 0.05


class CommandFailedError(Exception):
    """A command of the CLI ended with another exit code than 0.

    Args:
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
    """

    def __init__(self, stdout: str, stderr: str) -> None:
        super().__init__(stderr or stdout)
        self.stdout = stdout
        self.stderr = stderr


def run_command(  # noqa: PLR0913 -- a process's parts, each by its name
    cli: Cli,
    words: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    given: str = "",
    inherited: Sequence[int] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> str:
    """Run a command to its end, and for as long as it takes to end after Ctrl-C.

    Ctrl-C reaches the CLI as well, which ends the step under way, writes state and gives up its
    lock.

    Args:
        cli: the CLI.
        words: the command's words; `--non-interactive` is added.
        cwd: the folder that it runs in.
        environ: variables beside those of this process.
        given: what it reads from standard input, which may hold secrets.
        inherited: descriptors that it gets.
        meanwhile: called again and again while it runs, and once after its end.

    Returns:
        What it wrote to standard output.

    Raises:
        CommandFailedError: it ended with another exit code than 0.
        KeyboardInterrupt: somebody pressed Ctrl-C, and the command has ended.
    """
    command = launched(str(cli.path.absolute()), [*words, "--non-interactive"])
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
    """Make the environment of a command: programs of its language hosts are beside the CLI.

    Args:
        cli: the CLI.
        environ: variables beside those of this process.
    """
    variables = {**os.environ, **environ, "PULUMI_AUTOMATION_API": "true"}
    beside = [str(cli.path.absolute().parent), variables.get("PATH", os.defpath)]
    return {**variables, "PATH": os.pathsep.join(beside)}


def _hold(text: str) -> IO[bytes]:
    """Open a file without a name that holds a text."""
    file = _memory()
    file.write(text.encode())
    file.seek(0)
    return file


def _memory() -> IO[bytes]:
    """Open a file without a name: what passes through it may hold decrypted secrets."""
    if sys.platform != "linux":
        return tempfile.TemporaryFile()
    return os.fdopen(os.memfd_create("pulumi"), "w+b")


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(line.rstrip() for line in lines)
