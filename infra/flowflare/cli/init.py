"""`flowflare init`: create a project that `flowflare up` can deploy."""

import re
import shutil
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from flowflare.errors import FlowflareError

FILES = ("Pulumi.yaml", "Pulumi.local.yaml", "infra/__main__.py")
EXAMPLE = "worker_src/orders"


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The new project's folder.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The project's name; else the folder's."),
    ] = None,
) -> None:
    """Create a project: its configuration, program and example client.

    Existing files are never overwritten.

    Example: flowflare init my-tracking && cd my-tracking && flowflare up
    """
    from flowflare import library
    from flowflare.cli.console import print_result, quote_program
    from flowflare.render.templates import render

    project = _choose_project_name(name or directory.resolve().name)
    if directory.exists() and not directory.is_dir():
        raise FlowflareError(
            f"{directory} is a file; nothing was written",
            remedy="Name a new folder: flowflare init my-tracking",
        )
    existing = [path for path in (*FILES, EXAMPLE) if (directory / path).exists()]
    if existing:
        raise FlowflareError(
            f"{directory} already has {', '.join(existing)}; nothing was written",
            remedy="Name a new folder: flowflare init my-tracking",
        )
    for path in FILES:
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = render(f"starter/{path}.j2", {"project": project}, root=directory)
        target.write_text(text, encoding="utf-8")
    ignored = shutil.ignore_patterns("node_modules")
    shutil.copytree(library.folder("worker_src") / "orders", directory / EXAMPLE, ignore=ignored)
    for path in (*FILES, EXAMPLE):
        print_result(f"  {directory / path}")
    again = quote_program()
    print_result(f"\nNext:  cd {quote(str(directory))} && {again} up && {again} order")


def _choose_project_name(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")
    if not name:
        raise FlowflareError(
            f"{text!r} does not make a project name", remedy="Give one: --name my-tracking"
        )
    return name
