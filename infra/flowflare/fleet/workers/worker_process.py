"""The process that does a pool's tasks, one after the other: `python -m` of this module.

Standard input brings one task a line; the answers go out where standard output was, which from
then on leads to standard error: a program may print. The environment of a task holds for that task
alone. When standard input ends, the pool has gone: what only reads stops at once, and what writes
stops between two calls to the API, with its state as after any run that failed.
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
from flowflare.redaction.run import redacting

if TYPE_CHECKING:
    from flowflare.values.events import Event

#: Seconds that a call may still take when the pool has gone.
_LAST_CALL: Final = 90.0
_READY: Final = {"ready": True}
#: The line in the output that ends a task's part of it. Answers come through another pipe, so
#: the pool could otherwise take the last lines of one task for the next one's.
END_OF_OUTPUT: Final = b"\0end of a task's output\n"


class Abandoned(ApiError):  # noqa: N818 -- it is no error of anybody's
    """The pool has gone: no further call is sent.

    Args:
        doubtful: whether the call was sent before without an answer, so that it may have been done.
    """

    def __init__(self, *, doubtful: bool) -> None:
        text = "the command that ran this has ended: no further call was sent"
        super().__init__(text, status=0)
        self.doubtful = doubtful


class Process:
    """What this process is doing, and for whom.

    Args:
        tasks: brings a line for each task.
        answers: takes a line for each answer.
        output: the file descriptor that the output of programs goes to.
    """

    def __init__(self, tasks: IO[str], answers: IO[str], output: int) -> None:
        self._own = os.getpid()
        self._tasks = tasks
        self._answers = answers
        self._output = output
        self._lock = threading.Lock()
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._gone = threading.Event()
        self._writes = False
        self._waited = threading.local()
        self.calls = 0

    def serve(self) -> None:
        """Does tasks until there come no more."""
        base, frozen = dict(os.environ), False
        threading.Thread(target=self._listen, daemon=True).start()
        self._answer(_READY)
        while (request := self._waiting.get()) is not None:
            try:
                answer = self._done(request)
                self._end_output()
                self._answer(answer)
            finally:
                _set_environment(base)
            if not frozen:
                # What is imported by now stays: no need to look through it again and again.
                gc.collect()
                gc.freeze()
                frozen = True

    def gate(self) -> None:
        """Stands before every call to the API, and counts it.

        Raises:
            Abandoned: the pool has gone.
        """
        waited, self._waited.so = getattr(self._waited, "so", False), False
        if self._gone.is_set():
            raise Abandoned(doubtful=waited)
        with self._lock:
            self.calls += 1

    def pause(self, seconds: float) -> None:
        """Waits, such as before a call is sent again, and no longer than the pool is there.

        Raises:
            Abandoned: the pool has gone.
        """
        self._waited.so = True
        if self._gone.wait(seconds):
            raise Abandoned(doubtful=True)

    # ----------------------------------------------------------------------------------------------

    def _done(self, request: Mapping[str, Any]) -> dict[str, Any]:
        from flowflare.fleet.workers.scene import Scene
        from flowflare.fleet.workers.tasks import WRITING, perform

        since, number = time.monotonic(), request["task"]
        self._writes, self.calls = request["kind"] in WRITING, 0
        if self._gone.is_set():
            os._exit(0)
        _set_environment(request["environ"])
        scene = Scene(
            root=Path(request["root"]),
            stack=request["stack"],
            options=request["options"],
            environ=request["environ"],
            forwarder=request["forwarder"],
            gate=self.gate,
            pause=self.pause,
            tell=self._teller(number),
        )
        answer: dict[str, Any] = {"task": number, "ok": False}
        with redacting(request["environ"]) as redactor:
            try:
                answer |= {"value": perform(request["kind"], scene), "ok": True}
            except FlowflareError as error:
                answer |= {"error": error.message, "remedy": error.remedy or ""}
                answer |= {"held": isinstance(error, LockedError)}
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 -- one task's failure, whatever it is
                answer |= {"error": f"{type(error).__name__}: {error}", "remedy": ""}
            for field in answer.keys() & {"error", "remedy"}:
                answer[field] = redactor.redact(answer[field])
        return answer | {"seconds": time.monotonic() - since, "calls": self.calls}

    def _teller(self, number: int) -> "Callable[[Event], None]":
        def tell(event: "Event") -> None:
            data: dict[str, Any] = {"kind": event.kind, "message": event.message}
            if event.step is not None:
                step = event.step
                data |= {"op": step.op, "name": step.name, "type": step.type}
                data |= {"seconds": round(event.seconds, 3)}
                self._answer({"task": number, "event": "step", "data": data})
            elif event.message:
                data = {"message": event.message, "severity": event.severity}
                self._answer({"task": number, "event": "note", "data": data})

        return tell

    def _answer(self, document: Mapping[str, Any]) -> None:
        if os.getpid() != self._own:
            os._exit(0)  # a copy that the program has made of this process by forking
        line = json.dumps(document, separators=(",", ":"), default=str)
        with self._lock, suppress(BrokenPipeError):
            self._answers.write(line + "\n")
            self._answers.flush()

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
        self._gone.set()
        if not self._writes:
            os._exit(0)
        _interrupt_children()
        time.sleep(_LAST_CALL)
        os._exit(3)


def _set_environment(environ: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environ)


def _interrupt_children() -> None:
    """Asks what this process has started, such as the Pulumi CLI, to stop after its last call."""
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError, ValueError):
            for child in task.read_text().split():
                os.kill(int(child), signal.SIGINT)


def main() -> None:
    """Takes the pipes away from the programs to be run, and serves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The SDK takes a stack trace of every resource, which nobody reads here.
    sys.tracebacklimit = 1
    tasks = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    Process(tasks, answers, os.dup(2)).serve()


if __name__ == "__main__":
    main()
