"""Run a pool's tasks one by one, as the process `python -m` of this module.

Standard input has one task per line. Messages are written to the original standard output; then
standard output is redirected to standard error, because programs may print. A task's environment
variables are set only for that task. When standard input ends, the pool has ended. A task that only
reads then stops at once. A task that writes stops between two API calls, and leaves its state as a
failed run does.
"""

import gc
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from flowflare.errors import ApiError, FlowflareError, LockedError
from flowflare.redaction.run import open_redactor

if TYPE_CHECKING:
    from flowflare.values.events import Event

#: Seconds that an API call may still take after the pool has ended.
_LAST_CALL: Final = 90.0
_READY: Final = {"ready": True}
#: The line that ends a task's output. Messages use another pipe, so without this line the pool
#: could count the last lines of one task for the next.
END_OF_OUTPUT: Final = b"\0end of a task's output\n"


class Abandoned(ApiError):  # noqa: N818 -- the task did not fail, it was stopped
    """The pool has ended, so no further call is sent.

    Args:
        doubtful: whether the call was sent and had no response yet: it may have succeeded.
    """

    def __init__(self, *, doubtful: bool) -> None:
        text = "the command that started this run has ended, so no further API call was sent"
        super().__init__(text, status=0)
        self.doubtful = doubtful


class Process:
    """Run the tasks of a pool.

    Args:
        tasks: a stream with a line for each task.
        messages: a stream for a line for each message.
        output: the file descriptor for the output of programs.
    """

    def __init__(self, tasks: IO[str], messages: IO[str], output: int) -> None:
        self._own = os.getpid()
        self._tasks = tasks
        self._messages = messages
        self._output = output
        self._lock = threading.Lock()
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._pool_ended = threading.Event()
        self._writes = False
        self._waited = threading.local()
        self.calls = 0

    def serve(self) -> None:
        """Run tasks until the input ends."""
        base, frozen = dict(os.environ), False
        threading.Thread(target=self._listen, daemon=True).start()
        self._send(_READY)
        while (request := self._waiting.get()) is not None:
            try:
                result = self._run(request)
                self._end_output()
                self._send(result)
            finally:
                _set_environment(base)
            if not frozen:
                # The imported modules stay, so the garbage collector need not traverse them again.
                gc.collect()
                gc.freeze()
                frozen = True

    def gate(self) -> None:
        """Count an API call before it is sent, or refuse it.

        Raises:
            Abandoned: the pool has ended.
        """
        waited, self._waited.so = getattr(self._waited, "so", False), False
        if self._pool_ended.is_set():
            raise Abandoned(doubtful=waited)
        with self._lock:
            self.calls += 1

    def pause(self, seconds: float) -> None:
        """Wait, for example before a call is retried, until the pool ends.

        Raises:
            Abandoned: the pool has ended.
        """
        self._waited.so = True
        if self._pool_ended.wait(seconds):
            raise Abandoned(doubtful=True)

    # ----------------------------------------------------------------------------------------------

    def _run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        from flowflare.config.stacks import load_project
        from flowflare.fleet.workers.context import TaskContext
        from flowflare.fleet.workers.tasks import WRITING, perform

        since, number = time.monotonic(), request["task"]
        self._writes, self.calls = request["kind"] in WRITING, 0
        if self._pool_ended.is_set():
            os._exit(0)
        _set_environment(request["environ"])
        context = TaskContext(
            project=load_project(request["project"]),
            options=request["options"],
            environ=request["environ"],
            forwarder=request["forwarder"],
            gate=self.gate,
            pause=self.pause,
            on_event=self._make_reporter(number),
        )
        result: dict[str, Any] = {"task": number, "ok": False}
        with open_redactor(request["environ"]) as redactor:
            try:
                result |= {"value": perform(request["kind"], context), "ok": True}
            except FlowflareError as error:
                result |= {"error": error.message, "remedy": error.remedy or ""}
                result |= {"held": isinstance(error, LockedError)}
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 -- any exception fails only this task
                result |= {"error": f"{type(error).__name__}: {error}", "remedy": ""}
            for field in result.keys() & {"error", "remedy"}:
                result[field] = redactor.redact(result[field])
        return result | {"seconds": time.monotonic() - since, "api_calls": self.calls}

    def _make_reporter(self, number: int) -> "Callable[[Event], None]":
        def report(event: "Event") -> None:
            data: dict[str, Any] = {"kind": event.kind, "message": event.message}
            if event.step is not None:
                step = event.step
                data |= {"op": step.op, "name": step.name, "type": step.type}
                data |= {"seconds": round(event.seconds, 3)}
                self._send({"task": number, "event": "step", "data": data})
            elif event.message:
                data = {"message": event.message, "severity": event.severity}
                self._send({"task": number, "event": "note", "data": data})

        return report

    def _send(self, document: Mapping[str, Any]) -> None:
        if os.getpid() != self._own:
            os._exit(0)  # the program has forked this process
        line = json.dumps(document, separators=(",", ":"), default=str)
        with self._lock, suppress(BrokenPipeError):
            self._messages.write(line + "\n")
            self._messages.flush()

    def _end_output(self) -> None:
        if os.getpid() != self._own:
            return
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # the program may have closed it
                stream.flush()
        with suppress(OSError):
            os.write(self._output, END_OF_OUTPUT)

    def _listen(self) -> None:
        with suppress(ValueError, OSError):
            for line in self._tasks:
                self._waiting.put(json.loads(line))
        self._waiting.put(None)
        self._pool_ended.set()
        if not self._writes:
            os._exit(0)
        _interrupt_children()
        time.sleep(_LAST_CALL)
        os._exit(3)


def _set_environment(environ: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environ)


def _interrupt_children() -> None:
    """Ask this process's children, such as the Pulumi CLI, to stop after their present call."""
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError, ValueError):
            for child in task.read_text().split():
                os.kill(int(child), signal.SIGINT)


def main() -> None:
    """Hide the pipes from the programs, and run the pool's tasks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pulumi's SDK records a stack trace of every resource, which is not used here.
    sys.tracebacklimit = 1
    tasks = os.fdopen(os.dup(0), encoding="utf-8")
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    Process(tasks, messages, os.dup(2)).serve()


if __name__ == "__main__":
    main()
