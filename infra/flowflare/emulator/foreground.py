"""Run one emulator in this process, from the lock on its data to the end of its last child."""

import asyncio
import fcntl
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import uvicorn

from flowflare.emulator import api_token, pidfile
from flowflare.emulator.process import Settings
from flowflare.emulator.runtime.bridge import Programs
from flowflare.emulator.server import application, assemble, listen, server_for
from flowflare.emulator.users import wait_until_unused
from flowflare.errors import EmulatorError

_LOCK_PATIENCE = 15.0
# The lock of a shared emulator's last user, which the system releases when this process has ended.
_KEPT: list[IO[str]] = []


async def serve(options: Settings, say: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        say: called once when the emulator is ready, with base URL, port and process ID.

    Raises:
        EmulatorError: the data is in use, the port is taken, or workerd does not start.
    """
    data = options.data.resolve()
    api_token.make_private(data)
    with _lock_data(data) as lock, listen(options.port) as bound:
        port = bound.getsockname()[1]
        identity = {
            "status": "ready",
            "pid": os.getpid(),
            "port": port,
            "base_url": f"http://127.0.0.1:{port}/client/v4",
            "data": str(data),
        }
        programs = Programs(options.node, options.node_modules, lock)
        parts = assemble(programs, data, identity, api_token.ensure_token(data))
        try:
            with suppress(asyncio.CancelledError), _signals(_this_task().cancel):
                await parts.workers.start()
                pidfile.write(data, os.getpid(), port)
                server = server_for(application(parts))
                async with (
                    _watch_users(data if options.shared else None, server),
                    parts.clock.follow(),
                ):
                    await _serve(server, bound, lambda: say(identity))
        finally:
            await parts.workers.stop()
            parts.database.close()
            pidfile.remove(data)


async def _serve(server: uvicorn.Server, bound: socket.socket, ready: Callable[[], None]) -> None:
    def stop() -> None:
        server.should_exit = True

    with _signals(stop):
        # Not serve(): it would install its own signal handlers and raise the signals again at the
        # end.
        serving = asyncio.create_task(server._serve([bound]))  # noqa: SLF001
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            ready()
        await serving


@asynccontextmanager
async def _watch_users(data: Path | None, server: uvicorn.Server) -> AsyncIterator[None]:
    """Stop the server when no process uses the data any more. Without data, do nothing."""

    async def watch(shared: Path) -> None:
        _KEPT.append(await wait_until_unused(shared))
        server.should_exit = True

    watching = asyncio.create_task(watch(data)) if data else None
    try:
        yield
    finally:
        if watching is not None:
            watching.cancel()


@contextmanager
def _signals(handle: Callable[[], object]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle)
    yield


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


@contextmanager
def _lock_data(data: Path) -> Iterator[int]:
    """Hold the data folder's lock, which the system releases when this process ends.

    The runtime's processes hold the lock too. After `kill -9` of this process, the next start
    therefore waits until they have released the Workers' ports.

    Yields:
        the lock's file descriptor.
    """
    with (data / "lock").open("w") as lock:
        end = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if pidfile.read(data) or time.monotonic() > end:
                    raise EmulatorError(
                        f"Another emulator is using the data in {data}",
                        remedy="Stop it first: flowflare emulator stop",
                    ) from None
                time.sleep(0.05)
        yield lock.fileno()
