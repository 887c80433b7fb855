"""Find the embedded Cloudflare of a folder, which need not be a Flowflare project."""

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flowflare.config.engine import data_folder
from flowflare.errors import ConfigError, EmulatorError, Problem
from flowflare.reading.files import read_text

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.emulator.process import Running

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The folder of its data; by default .flowflare/emulator in the project's folder, or "
        "here if there is no Pulumi.yaml.",
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--cwd",
        "-C",
        metavar="DIR",
        help="The folder to run in; by default the nearest with Pulumi.yaml, upwards from here, "
        "else this folder.",
    ),
]
#: The account of folders without a Flowflare project. Every ID is an account from the start.
ACCOUNT: Final = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
_PORT: Final = 8780
_PROJECT_FILE: Final = "Pulumi.yaml"
_FLOWFLARE_KEY: Final = re.compile(r"^\s*['\"]?flowflare:", re.M)
_IGNORE_ALL: Final = "# Written by `flowflare emulator start`.\n*\n"


@dataclass(frozen=True)
class Place:
    """Where an embedded Cloudflare is run.

    Attributes:
        root: the project's folder, or the folder of the command.
        data: the folder of its data.
        given: whether `--data` named that folder.
    """

    root: Path
    data: Path
    given: bool

    @property
    def option(self) -> str:
        """Return the option for this place in a suggested command, with a space before it."""
        return f" --data {quote(str(self.data))}" if self.given else ""

    def read_project(self, stack: str) -> "Project | None":
        """Read the Flowflare project of this place; None if there is none, or `--data` is given.

        A Pulumi project without a key of Flowflare's is not a Flowflare project.

        Raises:
            ConfigError: the project or the stack's file cannot be read.
        """
        if self.given or not (self.root / _PROJECT_FILE).exists():
            return None
        from flowflare.config.files import read_project, read_project_file

        file = read_project_file(self.root, check=False)
        stacks = [file.stack_file(name) for name in file.list_stacks()]
        paths = [self.root / _PROJECT_FILE, *stacks]
        if not any(_FLOWFLARE_KEY.search(read_text(path)) for path in paths):
            return None
        return read_project(self.root, stack)

    def require_running(self) -> "Running":
        """Return the embedded Cloudflare that runs here.

        Raises:
            EmulatorError: none runs.
        """
        from flowflare.emulator import process

        running = process.find_running(self.data)
        if running is None:
            raise EmulatorError(
                f"no embedded Cloudflare runs in {self.data if self.given else self.root}",
                remedy=f"Start it: flowflare emulator start{self.option}",
            )
        return running

    def ensure_running(self, port: int | None) -> "Running":
        """Start the embedded Cloudflare unless it runs, without a project.

        Args:
            port: the port of its API; None for 8780, or another port if that is taken.

        Raises:
            NodeError: Node or its packages are missing and cannot be installed.
            EmulatorError: the port is taken, or it does not start, or runs on another port.
        """
        from flowflare.cli.console import open_stderr, print_message
        from flowflare.emulator import process
        from flowflare.render.node import ensure_node_packages

        running = process.find_running(self.data)
        if running is not None and port in (None, running.port):
            return running
        with open_stderr().status("Starting the embedded Cloudflare") as status:
            programs = ensure_node_packages(print_message, root=self.root)
            self._ignore_data()

            def start(on: int) -> "Running":
                settings = process.Settings(
                    self.data, on, node=programs.node, node_modules=programs.node_modules
                )
                return process.start(settings, status.update)

            if port is not None:
                return start(port)
            try:
                return start(_choose_port())
            except EmulatorError:
                # Another program may have taken the port in the meantime.
                if _choose_port() == _PORT:
                    raise
                return start(0)

    def _ignore_data(self) -> None:
        """Keep the data out of git, if this is the first use of the folder `.flowflare`."""
        if not self.given and not self.data.parent.exists():
            self.data.parent.mkdir(parents=True)
            (self.data.parent / ".gitignore").write_text(_IGNORE_ALL, "utf-8")


def find_place(folder: Path | None, data: Path | None) -> Place:
    """Return where a command's embedded Cloudflare is run.

    Args:
        folder: the value of `--cwd`.
        data: the value of `--data`.

    Raises:
        ConfigError: the given folder does not exist.
    """
    start = (folder or Path.cwd()).resolve()
    if not start.is_dir():
        raise ConfigError([Problem(str(folder), "is not a folder", "Name an existing folder.")])
    candidates = [start] if folder else [start, *start.parents]
    root = next((each for each in candidates if (each / _PROJECT_FILE).exists()), start)
    return Place(root, data.resolve() if data else data_folder(root), given=data is not None)


def _choose_port() -> int:
    """Return the usual port if it is free, else 0, for which the system chooses a free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _PORT))
        except OSError:
            return 0
    return _PORT
