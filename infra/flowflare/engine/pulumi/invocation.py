"""One command of the CLI as the Automation API runs it: it ends with whoever waits for it.

What it prints goes into memory, not through a pipe: a CLI that writes to a pipe nobody reads any
more dies on the spot, before it has written state and given up its lock.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flowflare.engine.pulumi.children import launched
from flowflare.engine.pulumi.command import Cli
from flowflare.engine.pulumi.versions import PULUMI_VERSION

if TYPE_CHECKING:
    from pulumi.automation import CommandResult, PulumiCommand

OnOutput = Callable[[str], Any]


def invocation(cli: Cli) -> "PulumiCommand":
    """The command for the Automation API; its own would look for another CLI on PATH.

    Args:
        cli: the CLI that was found.
    """
    from pulumi.automation import CommandResult, PulumiCommand
    from pulumi.automation.errors import create_command_error
    from semver import VersionInfo

    program = str(cli.path.absolute())

    class Found(PulumiCommand):
        """The CLI that was found."""

        def __init__(self) -> None:
            self.command = program
            # One built from source does not know its version; it is taken for the pinned one.
            self.version = VersionInfo.parse(cli.shown if cli.version else PULUMI_VERSION)

        def run(
            self,
            args: list[str],
            cwd: str,
            additional_env: Mapping[str, str],
            on_output: OnOutput | None = None,
            on_error: OnOutput | None = None,
        ) -> "CommandResult":
            """Runs a command to its end; nobody is told of its output before."""
            del on_output, on_error
            words = [word for word in args if word != "--non-interactive"]
            environ = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
            # Programs of its language hosts lie beside the CLI.
            beside = [str(Path(program).parent), environ.get("PATH", os.defpath)]
            environ["PATH"] = os.pathsep.join(beside)
            command = launched(program, ["--non-interactive", *words])
            out, err, code = _completed(command, cwd, environ)
            result = CommandResult(stdout=_lines(out), stderr=_lines(err), code=code)
            if code != 0:
                raise create_command_error(result)
            return result

    return Found()


def _completed(
    command: list[str], cwd: str, environ: Mapping[str, str]
) -> tuple[bytes, bytes, int]:
    """Runs a program to its end: what it printed, and its exit code."""
    if sys.platform != "linux":
        done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, check=False)
        return done.stdout, done.stderr, done.returncode
    with _memory("stdout") as out, _memory("stderr") as err:
        done = subprocess.run(command, cwd=cwd, env=environ, stdout=out, stderr=err, check=False)
        out.seek(0)
        err.seek(0)
        return out.read(), err.read(), done.returncode


def _memory(name: str) -> IO[bytes]:
    """A file without a place: what is printed may hold opened secrets."""
    return os.fdopen(os.memfd_create(f"pulumi-{name}"), "w+b")


def _lines(text: bytes) -> str:
    return "\n".join(line.rstrip() for line in text.decode(errors="replace").splitlines())
