"""Run commands of the Pulumi CLI for one stack."""

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from flowflare.config.files import Project
from flowflare.engine.pulumi_cli.children import MARK, end_left_behind, mark_of
from flowflare.engine.pulumi_cli.command import Cli
from flowflare.engine.pulumi_cli.failures import command_error
from flowflare.engine.pulumi_cli.invocation import CommandFailedError, run_command
from flowflare.engine.pulumi_cli.plugins import require_plugins
from flowflare.engine.pulumi_cli.state import backend_url
from flowflare.engine.pulumi_cli.stream import EngineEvent, EventLog
from flowflare.errors import FlowflareError, StateError
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.state.backends.registry import redact_url

OnEngineEvent = Callable[[EngineEvent], None]
_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "preview": ("preview",),
    "up": ("up", "--yes", "--skip-preview"),
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
    "preview_destroy": ("destroy", "--preview-only"),
}
#: Set for every command. The CLI does not look for updates, and takes a salt that the stack's file
#: lacks from its state instead of making one. `--event-log` is a debugging option. Nothing is
#: downloaded: a missing plugin was refused before, or is an error at once.
_ENVIRONMENT: Final = {
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "PULUMI_DEBUG_COMMANDS": "true",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
}


class Workspace:
    """Runs commands of the CLI for one stack of a project."""

    def __init__(self, project: Project, cli: Cli, environ: Mapping[str, str]) -> None:
        self.project = project
        self._cli = cli
        self._environ = environ
        # If Pulumi.yaml names no virtualenv, the program runs with this process's Python.
        python = {"PULUMI_PYTHON_CMD": sys.executable}
        self._mark = mark_of(project.root, project.stack)
        self._variables = {**python, **environ, **_ENVIRONMENT, MARK: self._mark}

    def operate(
        self,
        what: str,
        on_event: OnEngineEvent,
        *,
        client: str = "",
        words: Sequence[str] = (),
    ) -> None:
        """Run the program's `preview`, `up` or `destroy` and report its events.

        Args:
            what: `preview`, `up`, `refresh`, `destroy` or `preview_destroy`.
            on_event: takes each event of the engine soon after it happened.
            client: the address of a language host that runs the program; empty for the CLI's own.
            words: more options of the command.

        Raises:
            EngineError: a plugin is not installed; nothing was started.
            CommandFailedError: the CLI failed; the events may say more than its output.
            KeyboardInterrupt: Ctrl-C was pressed, and the CLI has ended.
        """
        self.require_plugins(what)
        end_left_behind(self._mark)
        try:
            with EventLog() as log, self._spare_file() as spare:

                def report() -> None:
                    for event in log.new_events():
                        on_event(event)

                command = [
                    *self._stack((*_OPERATIONS[what], *words)),
                    "--event-log",
                    log.path,
                    *spare,
                ]
                run_command(
                    self._cli,
                    [*command, "--color=never", *([f"--client={client}"] if client else [])],
                    cwd=self.project.root,
                    environ=self._variables,
                    inherited=log.descriptors,
                    meanwhile=report,
                )
        finally:
            end_left_behind(self._mark)

    def require_plugins(self, what: str) -> None:
        """Refuse an operation whose plugins are not installed.

        Args:
            what: the operation, as for `operate`.

        Raises:
            EngineError: a plugin is missing; the message has the command that installs it.
        """
        require_plugins(
            f"stack {self.project.stack}",
            self.project.shared,
            self._cli,
            self._environ,
            runs_program=what in ("preview", "up"),
        )

    def run(self, *words: str, given: str = "") -> str:
        """Run any other command for the stack and return what it prints.

        Args:
            words: the command's arguments; the stack's name is added.

        Raises:
            FlowflareError: the command failed; the error is made by `failures`.
        """
        try:
            return run_command(
                self._cli,
                self._stack(words),
                cwd=self.project.root,
                environ=self._variables,
                given=given,
            )
        except CommandFailedError as error:
            raise self.error(error) from None

    def error(self, failed: CommandFailedError) -> FlowflareError:
        """Make the error of a failed command."""
        place = redact_url(backend_url(self.project.shared, self._environ))
        name = self.project.stack
        return command_error(failed.stderr, failed.stdout, stack=name, backend=place)

    def export(self, *, show_secrets: bool = False) -> Mapping[str, Any]:
        """Return the stack's deployment with its version, as `pulumi stack export` prints it."""
        words = ["stack", "export", *(["--show-secrets"] if show_secrets else [])]
        try:
            exported = parse_json(self.run(*words))
        except JsonError as error:
            raise StateError(f"the state that pulumi exports cannot be read: {error}") from None
        if not isinstance(exported, dict):
            raise StateError("the state that pulumi exports is not a deployment")
        return exported

    def import_(self, exported: Mapping[str, Any]) -> None:
        """Replace the stack's deployment.

        Secrets in it may be in plaintext. The CLI reads them from standard input and encrypts them.
        On Linux the text stays in memory; on other systems it is in an unnamed temporary file.
        """
        self.run("stack", "import", given=json.dumps(exported))

    @contextlib.contextmanager
    def _spare_file(self) -> Iterator[list[str]]:
        """Give the CLI another file for its salt if the stack's file is missing."""
        if self.project.stack_file.exists():
            yield []
            return
        with tempfile.TemporaryDirectory(prefix="flowflare-stack-") as folder:
            yield ["--config-file", str(Path(folder) / self.project.stack_file.name)]

    def _stack(self, words: Iterable[str]) -> list[str]:
        return [*words, "--stack", self.project.stack]
