"""`flowflare init`: create a project that `flowflare up` can deploy and that can be pushed."""

import re
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.console import print_message, print_result, quote_program
from flowflare.errors import FlowflareError
from flowflare.starter.ci import Ci
from flowflare.starter.files import (
    PROJECT_FILE,
    find_repository_above,
    list_program,
    list_repository,
    list_unignored,
)
from flowflare.starter.pin import find_installed_wheel, read_wheel
from flowflare.starter.runtime_types import install_runtime_types
from flowflare.starter.write import WrittenFiles, write_missing


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The new project's folder.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The project's name; else the folder's."),
    ] = None,
    ci: Annotated[
        Ci, typer.Option("--ci", help="The service for which workflows are written.")
    ] = Ci.github,
    wheel: Annotated[
        str | None,
        typer.Option(
            "--wheel",
            metavar="FILE|URL",
            help="The wheel that requirements.txt installs, a URL with #sha256=...; else the wheel "
            "that this Flowflare was installed from.",
        ),
    ] = None,
) -> None:
    """Create a project: program, example client, and the files of its repository.

    Never overwrites a file: run it again to write what is missing. If DIR already has a
    Pulumi.yaml, writes only the files of the repository: CI, requirements, types, README.

    Examples:

      flowflare init my-tracking && cd my-tracking && flowflare up

      flowflare init my-tracking --ci gitlab

      flowflare init . --wheel dist/flowflare-0.1.0-py3-none-any.whl
    """
    project = _choose_project_name(name or directory.resolve().name)
    if directory.exists() and not directory.is_dir():
        raise FlowflareError(
            f"{directory} is a file; nothing was written",
            remedy="Name a new folder: flowflare init my-tracking",
        )
    pinned = read_wheel(wheel) if wheel else find_installed_wheel()
    files = list_repository(project, ci, pinned, directory)
    is_new = not (directory / PROJECT_FILE).exists()
    # Pulumi.yaml comes last, so a run that was killed before it writes the program again.
    program = list_program(project, directory) if is_new else []
    written = write_missing(directory, [*files, *program])
    install_runtime_types(directory)
    _show(directory, written, is_new=is_new)


def _show(directory: Path, written: WrittenFiles, *, is_new: bool) -> None:
    for path in sorted(written.created):
        print_result(f"  created  {directory / path}")
    for path in sorted(written.kept):
        print_result(f"  kept     {directory / path}")
    again = quote_program()
    if not (directory / "requirements.txt").exists():
        print_message(
            "requirements.txt is missing: this Flowflare was not installed from a wheel, so its "
            f"hash is unknown.\n  Run: {again} init {quote(str(directory))} --wheel FILE"
        )
    top = find_repository_above(directory)
    if top and any(path.startswith((".github/", ".gitlab")) for path in written.created):
        print_message(
            f"GitHub and GitLab read workflows only from the repository's top folder, {top}: move "
            "them there, and let their steps run in the project's folder."
        )
    missing = list_unignored(directory)
    if missing:
        print_message(f"Add to {directory / '.gitignore'}: {' '.join(missing)}")
    commands = f"{again} up && {again} order" if is_new else f"{again} preview"
    print_result(f"\nNext:  cd {quote(str(directory))} && {commands}")


def _choose_project_name(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")
    if not name:
        raise FlowflareError(
            f"{text!r} does not make a project name", remedy="Give one: --name my-tracking"
        )
    return name
