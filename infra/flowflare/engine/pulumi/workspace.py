"""Runs one Pulumi command for one stack, through the Automation API, and waits for its end."""

import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowflare.config.files import Project, private_folder
from flowflare.engine.pulumi.children import MARK, end_left_behind, mark_of
from flowflare.engine.pulumi.command import Cli
from flowflare.engine.pulumi.failures import command_error
from flowflare.engine.pulumi.invocation import invocation
from flowflare.engine.pulumi.state import backend_url
from flowflare.errors import FlowflareError
from flowflare.storage.opened import redacted

if TYPE_CHECKING:
    from pulumi.automation import Stack
    from pulumi.automation.events import EngineEvent

OnEngineEvent = Callable[["EngineEvent"], None]
#: Set for every command: no look for updates, and a salt that is missing in the stack's file is
#: taken from its state instead of made anew.
_ENVIRONMENT: Final = {
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

    def operate(self, what: str, on_event: OnEngineEvent) -> None:
        """Runs `preview`, `up`, `destroy` or `preview_destroy` and tells of its events.

        Ctrl-C reaches the CLI as well, which ends after the step that runs; this waits for that.

        Args:
            what: the method of `pulumi.automation.Stack`.
            on_event: is told each event of the engine, in another thread.

        Raises:
            CommandError: the CLI's, as it is: the events may say more than its output.
            KeyboardInterrupt: somebody pressed Ctrl-C, and the CLI has ended.
        """
        self._end_left_behind()
        stack = self._stack()
        outcome: list[BaseException] = []

        def run() -> None:
            try:
                options: dict[str, Any] = {"on_event": on_event, "color": "never"}
                if what in ("up", "destroy"):
                    options["show_secrets"] = False
                getattr(stack, what)(**options)
            except BaseException as error:  # noqa: BLE001 -- raised again in the caller's thread
                outcome.append(error)

        try:
            _finish(threading.Thread(target=run, name=f"pulumi-{what}"))
        finally:
            self._end_left_behind()
        if outcome:
            raise outcome[0]

    def run(self, *words: str) -> str:
        """Runs any other command for the stack and returns what it prints.

        Args:
            words: the command's words; the stack's name is added.

        Raises:
            FlowflareError: it failed, in the words of `failures`.
        """
        from pulumi.automation.errors import CommandError

        command = invocation(self._cli)
        try:
            done = command.run(
                [*words, "--stack", self.project.stack, "--non-interactive"],
                str(self.project.root),
                self._variables,
            )
        except CommandError as error:
            raise self.error(error) from None
        return done.stdout

    def error(self, error: Exception) -> FlowflareError:
        """What a failed command means for the reader."""
        out, _, err = str(error).partition("\n stderr: ")
        place = redacted(backend_url(self.project.root, self._environ))
        return command_error(err, out.partition("stdout: ")[2], stack=self._name, backend=place)

    def export(self, *, show_secrets: bool = False) -> Mapping[str, Any]:
        """The stack's deployment with its version, as `pulumi stack export` prints it."""
        words = ["stack", "export", *(["--show-secrets"] if show_secrets else [])]
        exported: Mapping[str, Any] = json.loads(self.run(*words))
        return exported

    def import_(self, exported: Mapping[str, Any]) -> None:
        """Puts a deployment in place of the stack's; its secrets are sealed and stay so."""
        folder = private_folder(self.project.root)
        handle, name = tempfile.mkstemp(dir=folder, prefix="import-", suffix=".json")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(exported, file)
            self.run("stack", "import", "--file", name)
        finally:
            Path(name).unlink(missing_ok=True)

    @property
    def _name(self) -> str:
        return self.project.stack

    def _end_left_behind(self) -> None:
        """Ends what a CLI that was killed has left: an earlier run's, or this one's."""
        end_left_behind(self._mark)

    def _stack(self) -> "Stack":
        from pulumi.automation import LocalWorkspace, Stack
        from pulumi.automation.errors import CommandError

        class Unselecting(LocalWorkspace):
            """Sees that the stack exists, and leaves alone which one the user has selected."""

            def select_stack(self, stack_name: str) -> None:
                self.pulumi_command.run(
                    ["stack", "--show-name", "--stack", stack_name], self.work_dir, self.env_vars
                )

        workspace = Unselecting(
            work_dir=str(self.project.root),
            env_vars=self._variables,
            pulumi_command=invocation(self._cli),
        )
        try:
            return Stack.select(self._name, workspace)
        except CommandError as error:
            raise self.error(error) from None


def _finish(thread: threading.Thread) -> None:
    """Runs a thread to its end; what interrupts the wait is raised when it has ended."""
    interrupted: KeyboardInterrupt | None = None
    thread.start()
    while thread.is_alive():
        try:
            thread.join(0.2)
        except KeyboardInterrupt as error:
            interrupted = error
    if interrupted is not None:
        raise interrupted
