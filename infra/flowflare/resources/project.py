"""The project of the running program: its folder, its configuration, its clients' migrations.

Inside a program a mistake of the reader's ends it without a traceback (`as_run_error`).
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pulumi
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import get_root_directory

from flowflare.config.files import PROJECT_FILE, read_project
from flowflare.config.load import load_stack
from flowflare.config.secure import Path as Place
from flowflare.config.secure import secure_paths
from flowflare.errors import ConfigError, FlowflareError
from flowflare.migrations.files import Migration, read_migrations
from flowflare.model.client import ClientSpec
from flowflare.model.stack import StackSpec


def project_root() -> Path:
    """The folder of `Pulumi.yaml`: the one the engine names, else the one above the program."""
    here = Path.cwd()
    folders = [Path(get_root_directory() or here), here, *here.parents]
    return next((folder for folder in folders if (folder / PROJECT_FILE).is_file()), here)


def client_migrations(client: ClientSpec, root: Path) -> Mapping[str, tuple[Migration, ...]]:
    """The migrations of a client's databases, by the name of the binding.

    Args:
        client: the client.
        root: the project's folder.

    Raises:
        MigrationError: a folder's files are not as they must be.
    """
    return {
        database.binding: read_migrations(root / database.migrations)
        for database in client.databases
        if database.migrations is not None
    }


def spec_from_config(root: Path) -> StackSpec:
    """The stack that the running program's configuration describes.

    Args:
        root: the project's folder.

    Raises:
        ConfigError: every problem, with file and line.
    """
    values = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    project, stack = pulumi.get_project(), pulumi.get_stack()
    known = partial(load_stack, values, project=project, stack=stack, root=root)
    # The files are parsed again only for what the configuration alone does not tell.
    if any(map(pulumi_config.is_config_secret, values)):
        origins, secure = _in_files(root, stack)
        return known(origins=origins, secure=secure)
    try:
        return known()
    except ConfigError:
        origins, _ = _in_files(root, stack)
        return known(origins=origins)


def _in_files(root: Path, stack: str) -> tuple[Mapping[str, tuple[str, int]], Collection[Place]]:
    """Where keys and secrets stand; unknown for values that are from elsewhere, as in a test."""
    try:
        project = read_project(root, stack)
    except ConfigError:
        return {}, ()
    return project.places, secure_paths(project.values)


@contextmanager
def as_run_error() -> Iterator[None]:
    """Inside a program a mistake of the reader's ends it without a traceback."""
    try:
        yield
    except FlowflareError as error:
        raise pulumi.RunError(str(error)) from error
