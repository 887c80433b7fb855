"""Read the project of the running program: its folder, its configuration, its clients' migrations.

A user's mistake ends the program without a traceback (`as_run_error`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pulumi
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import get_root_directory

from flowflare.config.files import PROJECT_FILE, Project, read_project
from flowflare.config.load import load_stack
from flowflare.config.stacks import RUNNING
from flowflare.config.values import secure_paths
from flowflare.errors import ConfigError, FlowflareError
from flowflare.migrations.files import Migration, read_migrations
from flowflare.model.client import ClientSpec
from flowflare.model.stack import StackSpec


def find_project_root() -> Path:
    """Find the folder of `Pulumi.yaml`: the engine's, or the nearest one above the program."""
    here = Path.cwd()
    folders = [Path(get_root_directory() or here), here, *here.parents]
    return next((folder for folder in folders if (folder / PROJECT_FILE).is_file()), here)


def read_client_migrations(client: ClientSpec, root: Path) -> Mapping[str, tuple[Migration, ...]]:
    """Read the migrations of a client's databases, by the binding's name.

    Raises:
        MigrationError: the files of a folder are invalid.
    """
    return {
        database.binding: read_migrations(root / database.migrations, database.pattern)
        for database in client.databases
        if database.migrations is not None
    }


def read_spec(root: Path) -> StackSpec:
    """Read the stack that the running program's configuration describes.

    Raises:
        ConfigError: every problem, with file and line.
    """
    values = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    project, stack = pulumi.get_project(), pulumi.get_stack()
    known = partial(load_stack, values, project=project, stack=stack, root=root)
    # A program of the Pulumi CLI reads its files only if the configuration alone is not enough.
    if not any(map(pulumi_config.is_config_secret, values)):
        with suppress(ConfigError):
            return known()
    written = find_own_project(root, stack)
    if written is None:
        return known()
    return known(origins=written.places, secure=secure_paths(written.values))


def find_own_project(root: Path, stack: str) -> Project | None:
    """Return the running program's project, which is read at most once in a program.

    Returns:
        The project; None if the configuration is not from files, as in a test.
    """
    known = RUNNING.get()
    if known is None or (known.root, known.stack) != (root, stack):
        try:
            known = read_project(root, stack)
        except ConfigError:
            return None
        RUNNING.set(known)
    return known


@contextmanager
def as_run_error() -> Iterator[None]:
    """End the program without a traceback if the user made a mistake."""
    try:
        yield
    except FlowflareError as error:
        raise pulumi.RunError(str(error)) from error
