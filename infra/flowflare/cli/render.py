"""`flowflare render`: write the Workers as `up` would upload them."""

import os
from base64 import b64decode
from pathlib import Path
from typing import Annotated

import typer

from flowflare.cli.console import open_stderr, print_json, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.config.files import read_project
from flowflare.config.load import load_stack
from flowflare.render.node import ensure_node_packages
from flowflare.render.worker import render_stack
from flowflare.render.wrangler import render_wrangler_files


def render(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="The folder to write to.", show_default="build"
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write each Worker's modules and a wrangler.jsonc to a folder.

    Uploads nothing. The same project always gives the same bytes.

    Example: flowflare render --out build
    """
    project = read_project(choose_project_root(cwd), stack)
    values = {key: value.text for key, value in project.values.items()}
    spec = load_stack(values, project=project.name, stack=stack, origins=project.places)
    with open_stderr().status("Rendering") as status:
        ensure_node_packages(status.update, root=project.root)
        rendered = render_stack(spec, root=project.root, on_progress=status.update)
    target = out or project.root / "build"
    # All Workers' folders have the same parent.
    project_path = Path(os.path.relpath(project.root, target / "worker")).as_posix()
    settings = render_wrangler_files(spec, project=project_path)
    written = []
    for worker in rendered.workers():
        folder = target / worker.script_name
        folder.mkdir(parents=True, exist_ok=True)
        module = folder / worker.main_module
        module.write_text(worker.content, encoding="utf-8")
        for other in worker.modules:
            (folder / other.name).write_bytes(b64decode(other.base64))
        (folder / "wrangler.jsonc").write_text(settings[worker.script_name], encoding="utf-8")
        written.append(
            {
                "script_name": worker.script_name,
                "path": str(module),
                "bytes": len(worker.content.encode()),
                "sha256": worker.content_sha256,
            }
        )
    if json:
        print_json(written)
        return
    for entry in written:
        size = f"{entry['bytes']:>8} bytes"
        print_result(f"{entry['path']}  {size}  {str(entry['sha256'])[:12]}")
