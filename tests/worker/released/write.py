"""Write this release's service and client bundles: `make released`, once for each release.

They are what later releases are tested against: a deployment uploads clients before the service,
so for a while each runs with the other's release.
"""

import sys
from pathlib import Path

from flowflare import library
from flowflare.config.load import load_stack
from flowflare.render.bundle import BundleSource, bundle_sources
from flowflare.render.worker import render_stack

FOLDER = Path(__file__).parent
_CONFIG = {"flowflare:accountId": "0" * 32, "cloudflare:apiToken": "t" * 40}


def rendered_service(root: Path) -> str:
    """Bundle this checkout's service as a stack without options has it."""
    spec = load_stack(_CONFIG, project="released", stack="test")
    return render_stack(spec, root=root).service.content


def bundled_caller(root: Path) -> str:
    """Bundle the calling client with this checkout's library."""
    [bundle] = bundle_sources([BundleSource("caller.js", FOLDER)], root=root)
    return bundle.content


def main(root: Path) -> None:
    """Write both under the library's version, and print it."""
    package = (library.folder("worker_src") / "flowflare" / "package.json").read_text()
    version = package.partition('"version": "')[2].partition('"')[0]
    folder = FOLDER / version
    folder.mkdir(exist_ok=True)
    (folder / "service.js").write_text(rendered_service(root), encoding="utf-8")
    (folder / "client.js").write_text(bundled_caller(root), encoding="utf-8")
    sys.stdout.write(f"wrote {folder}\n")


if __name__ == "__main__":
    main(Path.cwd())
