"""Run the SDK's coroutines in an event loop that ends as soon as a part of the run has died.

The SDK expects `Exception` only. If a callback, a provider or a signal handler raises another
`BaseException`, the task of that registration ends, but the futures of its resource are never
resolved, and the tasks that wait for them would wait forever (`pulumi/runtime/resource.py` of
pulumi 3.272: `except Exception` around each registration). asyncio itself only logs what a plain
callback raises. Here both end the loop, and the first such error is the run's error.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any, Final

# A task may catch its cancellation and wait again; after this many requests it is abandoned.
_CANCELLATIONS: Final = 10
_PATIENCE: Final = 0.05
# Every registration, read and call is a task of this function of the SDK.
_REGISTRATION: Final = "RPCManager.do_rpc.<locals>.rpc_wrapper"


def run_to_end(main: Callable[[], Coroutine[Any, Any, None]], executor: ThreadPoolExecutor) -> None:
    """Run a coroutine to its end, or until one of its tasks or callbacks has died.

    Calls that threads of the executor have begun are waited for, because their results belong
    in the state. Calls that have not begun are dropped.

    Args:
        main: makes the coroutine.
        executor: the loop's default executor, which this function shuts down.

    Raises:
        BaseException: what the coroutine raised, or the first error that is not an `Exception` of
            any task or callback, or any error of a plain callback.
    """
    loop = asyncio.new_event_loop()
    watch = _Watch(loop)
    loop.set_default_executor(executor)
    try:
        asyncio.set_event_loop(loop)
        try:
            with _ending_on_interrupt(loop, watch):
                loop.run_until_complete(loop.create_task(main()))
        except LoopEnded:
            assert watch.error is not None
            raise watch.error from None
        if watch.error is not None:  # the last callback swallowed it
            raise watch.error
    finally:
        watch.is_over = True
        try:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


class LoopEnded(SystemExit):
    """Ends the loop, because asyncio lets a callback's `SystemExit` through.

    It also reaches a program that waits inside its own code: there the SDK runs the loop from
    within a task (`pulumi/runtime/sync_await.py`).
    """


class _Watch:
    """Sees every task and callback of a loop, and ends the loop when one of them has died."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.error: BaseException | None = None
        self.is_over = False
        loop.set_task_factory(self._create_task)
        loop.set_exception_handler(self._on_error)

    def _create_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coroutine, loop=loop, **options)
        task.add_done_callback(self._on_task_done)
        return task

    def _on_task_done(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled():
            error = task.exception()
            if error is not None and not isinstance(error, Exception):
                self.end(error)
        elif getattr(task.get_coro(), "__qualname__", "") == _REGISTRATION:
            self.end(asyncio.CancelledError("a registration was cancelled"))

    def _on_error(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Receive asyncio's errors. A failed task that is not awaited is reported elsewhere."""
        del loop
        if "handle" in context:
            self.end(context["exception"])

    def end(self, error: BaseException) -> None:
        """End the loop with an error; later errors are ignored."""
        if self.is_over:
            return
        if self.error is None:
            self.error = error
        self._loop.call_soon(self._raise)

    def _raise(self) -> None:
        if not self.is_over:
            # Raise it again until it gets past a program that catches it.
            self._loop.call_soon(self._raise)
            raise LoopEnded


@contextlib.contextmanager
def _ending_on_interrupt(loop: asyncio.AbstractEventLoop, watch: _Watch) -> Iterator[None]:
    """End the loop on Ctrl-C even if the code that Ctrl-C interrupts swallows the exception.

    Python raises `KeyboardInterrupt` in whatever runs. A finalizer or a callback of C code, such as
    one of gRPC, prints it and continues.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(watch.end, KeyboardInterrupt())
        before(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the loop's tasks until they have ended, at most `_CANCELLATIONS` times."""
    for _ in range(_CANCELLATIONS):
        tasks = asyncio.all_tasks(loop)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        # A task that calls `sys.exit` while it is cancelled ends only itself: the run is over.
        with contextlib.suppress(SystemExit):
            loop.run_until_complete(_wait(tasks))


async def _wait(tasks: "set[asyncio.Task[Any]]") -> None:
    await asyncio.wait(tasks, timeout=_PATIENCE)
