"""Run the forwarder in its own thread, on a free port of 127.0.0.1, for the time of a run."""

import asyncio
import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Final

import httpx
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from flowflare.errors import EngineError
from flowflare.fleet.forwarder.address import CLOUDFLARE, make_url
from flowflare.fleet.forwarder.app import App
from flowflare.fleet.forwarder.limit import UNLIMITED, CallLimit
from flowflare.fleet.forwarder.state import BudgetState, OnBudgetEvent
from flowflare.fleet.forwarder.tally import Count

# Seconds. Cloudflare ends a request after 100 s.
_TIMEOUT: Final = httpx.Timeout(120.0, connect=15.0, pool=None)
# The server may close connections that are idle for longer.
_CONNECTIONS: Final = httpx.Limits(
    max_connections=None, max_keepalive_connections=16, keepalive_expiry=3.0
)
# Calls to this machine do not use the environment's proxy.
_DIRECT: Final = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
_START: Final = 20.0


class Forwarder:
    """A loopback forwarder that keeps the calls of a run below the API's limit.

    It is a context manager, and listens only inside the block.

    Args:
        limit_of: returns an API's limit by its base URL. The default is Cloudflare's limit with a
            reserve, and on loopback the limit that the API's responses state.
        on_event: is called in the forwarder's thread when calls begin to wait for long, and when
            they no longer wait.
    """

    def __init__(
        self,
        *,
        limit_of: Callable[[str], CallLimit] = CallLimit.of,
        on_event: OnBudgetEvent | None = None,
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> None:
        self._limit_of = limit_of
        self._on_event = on_event
        self._timeout = timeout
        self._token = secrets.token_urlsafe(24)
        self._port = 0
        self._app: App | None = None
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._started: Future[None] = Future()

    def __enter__(self) -> "Forwarder":
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="forwarder", daemon=True
        )
        self._thread.start()
        try:
            error = self._started.exception(_START)
        except TimeoutError:
            text = f"this run's forwarder did not start within {_START:.0f} s"
            remedy = "Run the same command again when this machine is less busy."
            raise EngineError(text, remedy=remedy) from None
        if error is not None:
            text = f"this run's forwarder did not start: {error!r}"
            raise EngineError(text) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None and self._loop is not None and self._app is not None:
            self._server.should_exit = True
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._app.close)
        if self._thread is not None:
            self._thread.join()

    @property
    def address(self) -> str:
        """The address with the run's token, which workers receive through a pipe."""
        return f"http://127.0.0.1:{self._port}/{self._token}"

    def base_url(self, stack: str, upstream: str = CLOUDFLARE) -> str:
        """Return the base URL with which a stack calls an API.

        Args:
            upstream: the API's own base URL.
        """
        return make_url(self.address, stack, upstream)

    def counts(self) -> dict[str, int]:
        """Return the number of calls sent so far, by stack."""
        return {stack: count.calls for stack, count in self.tally().items()}

    def tally(self) -> Mapping[str, Count]:
        """Return the calls sent so far by stack: reads, writes, and how long they waited."""
        return self._app.tally.counts() if self._app else {}

    def state(self) -> BudgetState:
        """Return the remaining budget, and which stacks wait for it."""
        states = []
        for upstream, turns in list(self._app.turns.items()) if self._app else ():
            limit, waiting = self._limit_of(upstream), turns.waiting()
            remaining, most = turns.count_remaining(), None
            if limit.calls is not None:
                most = max(1, limit.calls - limit.reserve)
            known = remaining if remaining < UNLIMITED // 2 else None
            seconds = turns.next_in() if waiting else 0.0
            states.append(BudgetState(known, most, limit.window, turns.sending, waiting, seconds))
        if not states:
            limit = self._limit_of(CLOUDFLARE)
            most = limit.calls and max(1, limit.calls - limit.reserve)
            return BudgetState(most, most, limit.window)
        return min(states, key=lambda state: UNLIMITED if state.left is None else state.left)

    def forecast(self, calls: int) -> float:
        """Return the seconds until so many more calls can be sent, according to the limit."""
        apis = list(self._app.turns.values()) if self._app else []
        return max((turns.forecast(calls) for turns in apis), default=0.0)

    # ----------------------------------------------------------------------------------------------

    def _run(self, listener: socket.socket) -> None:
        try:
            with listener:
                asyncio.run(self._serve(listener))
        except BaseException as error:
            if not self._started.done():
                self._started.set_exception(error)  # `__enter__` raises it
            elif not isinstance(error, KeyboardInterrupt):
                raise

    async def _serve(self, listener: socket.socket) -> None:
        client = httpx.AsyncClient(timeout=self._timeout, limits=_CONNECTIONS, mounts=_DIRECT)
        async with client:
            app = App(self._token, client, self._limit_of, self._on_event)
            config = uvicorn.Config(
                app,
                http=H11Protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=120,
                timeout_graceful_shutdown=1,
            )
            self._server = uvicorn.Server(config)
            listener.listen(1024)
            self._loop = asyncio.get_running_loop()
            self._app = app
            self._started.set_result(None)
            await self._server.serve(sockets=[listener])
