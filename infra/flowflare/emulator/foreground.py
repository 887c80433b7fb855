"""One emulator in this process, from the lock on its data to the last child's end."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowflare.emulator.runtime.bridge import Programs
from flowflare.emulator.server import application, assemble, listen, server_for
from flowflare.errors import EmulatorError


@dataclass(frozen=True)
class Options:
    """What an emulator is started with."""

    data: Path
    port: int
    node: Path
    node_modules: Path


async def serve(options: Options, say: Callable[[dict[str, Any]], None]) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        options: what it is started with.
        say: told once, when it is ready: base URL, port and process id.

    Raises:
        EmulatorError: the data is in use, the port is taken, or workerd does not start.
    """
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(options.data):
        bound = listen(options.port)
        port = bound.getsockname()[1]
        identity = {
            "status": "ready",
            "pid": os.getpid(),
            "port": port,
            "base_url": f"http://127.0.0.1:{port}/client/v4",
            "data": str(options.data.resolve()),
        }
        programs = Programs(options.node, options.node_modules)
        parts = assemble(programs, options.data, identity)
        try:
            await parts.workers.start()
            await _until_told(server_for(application(parts)), bound, lambda: say(identity))
        finally:
            bound.close()
            await parts.workers.stop()
            parts.database.close()


async def _until_told(server: Any, bound: Any, on_ready: Callable[[], None]) -> None:
    serving = asyncio.create_task(_serve(server, bound))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if not serving.done():
        on_ready()
    await serving


async def _serve(server: Any, bound: Any) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, server)
    await server._serve([bound])  # noqa: SLF001 -- serve() would take the signals for itself


def _stop(server: Any) -> None:
    server.should_exit = True


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Holds the data folder's lock; the system lets it go however this process ends."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EmulatorError(
                f"Another emulator uses the data in {data}",
                remedy="Stop it first: flowflare emulator stop",
            ) from None
        yield
