"""Runs many stacks' work in a few processes, each of which imports Pulumi once.

A worker is `python -m flowflare.fleet.workers.worker_process`: one task a line comes in, events and
the result go out. Passphrase and token come in with the task, through the pipe. Whatever a worker
does is one task's failure; the pool goes on with another worker.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from flowflare.errors import EngineError, FlowflareError
from flowflare.fleet.workers.worker import Worker, default_workers

#: Seconds that a task may take which only reads; a program may hang.
PATIENCE: Final[Mapping[str, float]] = {"preview": 120.0, "outputs": 120.0, "drift": 900.0}
_TICK: Final = 1.0
#: Workers that may end one after the other without ever having been ready.
_STILLBORN: Final = 2


@dataclass(frozen=True)
class Task:
    """One thing to do with one stack.

    Attributes:
        kind: what: `preview`, `up`, `destroy`, `drift`, `outputs`; `fleet.tasks` lists them.
        stack: the stack.
        options: what the kind takes, JSON values.
    """

    kind: str
    stack: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a task ended.

    Attributes:
        task: the task.
        ok: whether it was done.
        value: what it came to, JSON values; None where it failed.
        error: why it failed; nothing secret.
        remedy: what to do about it; may be empty.
        seconds: how long it took.
        api_calls: requests to Cloudflare's API that the worker made for it; 0 for the Pulumi
            CLI's, which the forwarder counts.
        held: whether it failed because another run holds the stack; nothing was done.
    """

    task: Task
    ok: bool
    value: Any = None
    error: str = ""
    remedy: str = ""
    seconds: float = 0.0
    api_calls: int = 0
    held: bool = False


@dataclass(frozen=True)
class TaskEvent:
    """Something that happens while a task runs.

    Attributes:
        task: the task.
        kind: `began`; `step` of an `up` or `destroy`; `note` is what the engine or the program
            says.
        data: of a step `{kind, op, name, type, seconds, message}`, of a note `{message,
            severity}`.
    """

    task: Task
    kind: Literal["began", "step", "note"]
    data: Mapping[str, Any] = field(default_factory=dict)


OnTaskEvent = Callable[[TaskEvent], None]


class Pool:
    """Processes that do tasks; they are started when there is something to do, and kept.

    Args:
        root: the project's folder.
        environ_of: a stack's environment, its passphrase and token among it; asked when its task
            is handed out, and given to that task alone.
        workers: how many processes; None for as many as cores and memory allow, 8 at most.
        forwarder: the address of the fleet's forwarder with its run token, through which every
            call to Cloudflare goes; None to call directly.
    """

    def __init__(
        self,
        root: Path,
        environ_of: Callable[[str], Mapping[str, str]],
        workers: int | None = None,
        forwarder: str | None = None,
    ) -> None:
        self.workers = max(1, workers or default_workers())
        self._root = root
        self._environ_of = environ_of
        self._forwarder = forwarder
        self._answers: queue.Queue[tuple[Worker | None, Mapping[str, Any] | None]] = queue.Queue()
        self._living: list[Worker] = []
        self._running: dict[Worker, _Running] = {}
        self._stopping = threading.Event()
        self._stillborn = 0
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the processes; a task that still runs is stopped between two calls."""
        self.stop()
        for worker in self._living:
            worker.dismiss()
        for worker in self._living:
            worker.wait()
        self._living.clear()
        self._running.clear()

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        """Does tasks, as many at a time as there are processes.

        Args:
            tasks: what to do; taken one by one, when a process is free.
            on_event: is told what happens, in the caller's thread.

        Yields:
            The results, in the order in which they end.

        Raises:
            EngineError: no worker starts at all.
        """
        tell = on_event or _nobody
        coming = iter(tasks)
        while True:
            yield from self._hand_out(coming, tell)
            if not self._running:
                return
            result = self._next(tell)
            if result is not None:
                yield result

    def stop(self) -> None:
        """Hands out no more tasks; those that run come to their end. May be called anywhere."""
        self._stopping.set()
        self._answers.put((None, None))

    # ----------------------------------------------------------------------------------------------

    def _hand_out(self, coming: Iterator[Task], tell: OnTaskEvent) -> Iterator[Result]:
        while len(self._running) < self.workers and not self._stopping.is_set():
            task = next(coming, None)
            if task is None:
                return
            try:
                environ = dict(self._environ_of(task.stack))
            except Exception as error:  # noqa: BLE001 -- such as a passphrase that is not there
                yield _failed(task, error)
                continue
            worker = self._free()
            self._number += 1
            self._running[worker] = _Running(task, self._number, time.monotonic())
            tell(TaskEvent(task, "began"))
            worker.send(
                {
                    "task": self._number,
                    "kind": task.kind,
                    "root": str(self._root),
                    "stack": task.stack,
                    "options": dict(task.options),
                    "environ": environ,
                    "forwarder": self._forwarder,
                }
            )

    def _free(self) -> Worker:
        for worker in self._living:
            if worker not in self._running:
                return worker
        worker = Worker(self._root, self._answers.put)
        self._living.append(worker)
        return worker

    def _next(self, tell: OnTaskEvent) -> Result | None:
        """Takes one message of a worker; the result, if it is one."""
        self._end_hanging()
        try:
            worker, message = self._answers.get(timeout=_TICK)
        except queue.Empty:
            return None
        if worker is None:
            return None
        running = self._running.get(worker)
        if message is None:
            return self._lost(worker, running)
        if "ready" in message:
            self._stillborn = 0
        if running is None or message.get("task", running.number) != running.number:
            return None  # the last words of a task that was given up
        return self._heard(worker, running, message, tell)

    def _heard(
        self, worker: Worker, running: "_Running", message: Mapping[str, Any], tell: OnTaskEvent
    ) -> Result | None:
        if "said" in message:
            data = {"message": message["said"], "severity": "print"}
            tell(TaskEvent(running.task, "note", data))
        elif "event" in message:
            tell(TaskEvent(running.task, message["event"], message["data"]))
        elif "ok" in message:
            del self._running[worker]
            return _result(running.task, message)
        return None

    def _lost(self, worker: Worker, running: "_Running | None") -> Result | None:
        """A worker has ended; what it was doing has failed, and the next task gets a new one."""
        self._living = [one for one in self._living if one is not worker]
        why = worker.why()
        if not worker.was_ready:
            self._stillborn += 1
            if self._stillborn > _STILLBORN:
                raise EngineError(f"no worker starts: {why}")
        if running is None:
            return None
        del self._running[worker]
        seconds = time.monotonic() - running.since
        error = running.given_up or f"its process ended: {why}"
        return Result(running.task, ok=False, error=error, remedy=worker.remedy(), seconds=seconds)

    def _end_hanging(self) -> None:
        now = time.monotonic()
        for worker, running in self._running.items():
            patience = PATIENCE.get(running.task.kind)
            if patience is not None and now - running.since > patience:
                running.given_up = f"it took longer than {patience:.0f} s"
                worker.kill()


@dataclass
class _Running:
    task: Task
    number: int
    since: float
    given_up: str = ""


def _result(task: Task, message: Mapping[str, Any]) -> Result:
    return Result(
        task,
        ok=bool(message["ok"]),
        value=message.get("value"),
        error=str(message.get("error") or ""),
        remedy=str(message.get("remedy") or ""),
        seconds=float(message["seconds"]),
        api_calls=int(message["calls"]),
        held=bool(message.get("held")),
    )


def _failed(task: Task, error: Exception) -> Result:
    if isinstance(error, FlowflareError):
        return Result(task, ok=False, error=error.message, remedy=error.remedy or "")
    return Result(task, ok=False, error=f"{type(error).__name__}: {error}")


def _nobody(event: TaskEvent) -> None:
    """Whom nobody listens to."""
    del event
