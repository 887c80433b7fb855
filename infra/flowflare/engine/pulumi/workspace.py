"""Runs commands of the Pulumi CLI for one stack."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from flowflare.config.files import Project
from flowflare.engine.pulumi.children import MARK, end_left_behind, mark_of
from flowflare.engine.pulumi.command import Cli
from flowflare.engine.pulumi.failures import command_error
from flowflare.engine.pulumi.invocation import CommandFailedError, run_command
from flowflare.engine.pulumi.plugins import require_plugins
from flowflare.engine.pulumi.state import backend_url
from flowflare.engine.pulumi.stream import EngineEvent, EventLog
from flowflare.errors import FlowflareError, StateError
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.state.backends.registry import redacted

OnEngineEvent = Callable[[EngineEvent], None]
_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "preview": ("preview",),
    "up": ("up", "--yes", "--skip-preview"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
    "preview_destroy": ("destroy", "--preview-only"),
}
#: Set for every command: no look for updates, and a salt that is missing in the stack's file is
#: taken from its state instead of made anew. `--event-log` is one of the debugging options. Nothing
#: is downloaded: what is missing was refused before, or is an error at once.
_ENVIRONMENT: Final = {
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "PULUMI_DEBUG_COMMANDS": "true",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
}


class Workspace:
    """One stack of a project as the CLI sees it.

    Args:
        project: the project seen through the stack.
        cli: the CLI.
        environ: the environment of its commands.
    """

    def __init__(self, project: Project, cli: Cli, environ: Mapping[str, str]) -> None:
        self.project = project
        self._cli = cli
        self._environ = environ
        # Where Pulumi.yaml names no virtualenv, the program runs with the Python that runs us.
        python = {"PULUMI_PYTHON_CMD": sys.executable}
        self._mark = mark_of(project.root, project.stack)
        self._variables = {**python, **environ, **_ENVIRONMENT, MARK: self._mark}

    def operate(self, what: str, on_event: OnEngineEvent, *, client: str = "") -> None:
        """Run the program's `preview`, `up` or `destroy` and report its events.

        Args:
            what: `preview`, `up`, `destroy` or `preview_destroy`.
            on_event: gets each event of the engine soon after it happened.
            client: the address of a language host that runs the program; empty for the CLI's own.

        Raises:
            EngineError: a plugin is not installed; nothing was started.
            CommandFailedError: the CLI's, as it is: the events may say more than its output.
            KeyboardInterrupt: somebody pressed Ctrl-C, and the CLI has ended.
        """
        self.require_plugins(what)
        self._end_left_behind()
        try:
            with EventLog() as log:

                def report() -> None:
                    for event in log.new_events():
                        on_event(event)

                words = [*self._stack(_OPERATIONS[what]), "--event-log", log.path]
                run_command(
                    self._cli,
                    [*words, "--color=never", *([f"--client={client}"] if client else [])],
                    cwd=self.project.root,
                    environ=self._variables,
                    inherited=log.inherited,
                    meanwhile=report,
                )
        finally:
            self._end_left_behind()

    def require_plugins(self, what: str) -> None:
        """Refuse an operation whose plugins are not installed.

        Args:
            what: the operation, as for `operate`.

        Raises:
            EngineError: a plugin is missing; the message has the command that installs it.
        """
        require_plugins(
            f"stack {self.project.stack}",
            self.project.root,
            self._cli,
            self._environ,
            runs_program=what in ("preview", "up"),
        )

    def run(self, *words: str, given: str = "") -> str:
        """Run any other command for the stack and return what it prints.

        Args:
            words: the command's words; the stack's name is added.
            given: what the command reads from standard input.

        Raises:
            FlowflareError: it failed, in the words of `failures`.
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
        """What a failed command means for the reader."""
        place = redacted(backend_url(self.project.root, self._environ))
        name = self.project.stack
        return command_error(failed.stderr, failed.stdout, stack=name, backend=place)

    def export(self, *, show_secrets: bool = False) -> Mapping[str, Any]:
        """The stack's deployment with its version, as `pulumi stack export` prints it."""
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

        Secrets in it may be in plaintext. The CLI reads it from standard input and encrypts them;
        it has no name on disk. On Linux it stays in memory, elsewhere it is an unnamed temporary
        file.
        """
        self.run("stack", "import", given=json.dumps(exported))

    def _stack(self, words: Iterable[str]) -> list[str]:
        return [*words, "--stack", self.project.stack]

    def _end_left_behind(self) -> None:
        """Ends what a CLI that was killed has left: an earlier run's, or this one's."""
        end_left_behind(self._mark)
