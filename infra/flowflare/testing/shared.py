"""Start the embedded Cloudflare that the processes of a test session share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowflare.emulator import process
from flowflare.emulator.process import Running, Settings
from flowflare.emulator.users import join
from flowflare.render.node import ensure_node_packages


@contextmanager
def share_emulator(data: Path, root: Path) -> Iterator[Running]:
    """Use the emulator of a data folder, started if it does not run, and stop it after the last.

    Args:
        data: the folder of its data.
        root: a folder whose `node_modules` is used if it has the versions of this release.

    Raises:
        NodeError: Node or its packages are missing and cannot be installed.
        EmulatorError: it does not start.
    """
    programs = ensure_node_packages(root=root)
    user = join(data)
    try:
        settings = Settings(data, 0, programs.node, programs.node_modules, shared=True)
        yield process.start(settings, lambda _: None)
    finally:
        user.leave()
