"""Where the project of the running program lies."""

from pathlib import Path

from pulumi.runtime import get_root_directory

from flowflare.config.files import PROJECT_FILE


def project_root() -> Path:
    """The folder of `Pulumi.yaml`: the one the engine names, else the one above the program."""
    here = Path.cwd()
    folders = [Path(get_root_directory() or here), here, *here.parents]
    return next((folder for folder in folders if (folder / PROJECT_FILE).is_file()), here)
