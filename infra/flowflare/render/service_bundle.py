"""Write the service's bundle for the wheel: `python -m flowflare.render.service_bundle FILE`.

With the bundle, an installed package does not need Node for the service.
"""

import sys
from pathlib import Path

from flowflare.errors import FlowflareError
from flowflare.render.bundle import bundle_sources
from flowflare.render.worker import make_service_source


def write_service_bundle(path: Path, *, root: Path) -> None:
    """Bundle the runtime library into a file.

    Args:
        path: the file to write; its folder is created.
        root: the folder that contains the cache.

    Raises:
        RenderError: the library cannot be bundled.
        NodeError: Node cannot run.
    """
    [bundle] = bundle_sources([make_service_source()], root=root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(bundle.content, encoding="utf-8")


if __name__ == "__main__":
    try:
        write_service_bundle(Path(sys.argv[1]), root=Path.cwd())
    except FlowflareError as error:
        sys.exit(str(error))
