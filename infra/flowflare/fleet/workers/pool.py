"""Run the tasks of many stacks in a few processes, each of which imports Pulumi once.

A worker is `python -m flowflare.fleet.workers.worker_process`. It reads one task per line, with the
passphrase and token, from a pipe, and writes events and results to another. If a worker dies, only
its task fails, and the pool starts another worker.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal, Self

from flowflare.config.stacks import StackReader, dump_project
from flowflare.errors import EngineError, FlowflareError
from flowflare.fleet.workers.worker import Worker, default_workers

#: Seconds that a reading task may take, because a program may hang.
PATIENCE: Final[Mapping[str, float]] = {"preview": 120.0, "outputs": 120.0, "drift": 900.0}
_TICK: Final = 1.0
#: How many workers in a row may die before they are ready.
_FAILED_STARTS: Final = 2


@dataclass(frozen=True)
class Task:
    """One operation on one stack.

    Attributes:
        kind: the kind of task: `preview`, `up`, `destroy` and so on; `fleet.workers.tasks` lists
            them.
    """

    kind: str
    stack: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The result of a task.

    Attributes:
        value: its result as JSON values; None if it failed.
        error: why it failed, without secrets.
        remedy: what to do about the failure; may be empty.
        api_calls: the worker's requests to Cloudflare's API for it; 0 for a stack of the Pulumi
            CLI, whose requests the forwarder counts.
        held: whether it failed because another run locks the stack; nothing was changed.
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
    """An event of a task.

    Attributes:
        kind: `began`; `step` of an `up` or `destroy`; `note` for a message of the engine or the
            program's output.
        data: of a step `{kind, op, name, type, seconds, message}`, of a note `{message, severity}`.
    """

    task: Task
    kind: Literal["began", "step", "note"]
    data: Mapping[str, Any] = field(default_factory=dict)


OnTaskEvent = Callable[[TaskEvent], None]


class Pool:
    """Processes that run tasks; they are started when there are tasks, and reused.

    Args:
        reader: reads the stacks' configuration, which the tasks receive.
        environ_of: returns a stack's environment variables, with its passphrase and token. It is
            called when the stack's task begins, and only that task gets the result.
        workers: how many processes; None for the number that cores and memory allow, at most 8.
        forwarder: the address of the fleet's forwarder with its token; None to call the API
            directly.
    """

    def __init__(
        self,
        reader: StackReader,
        environ_of: Callable[[str], Mapping[str, str]],
        workers: int | None = None,
        forwarder: str | None = None,
    ) -> None:
        self.workers = max(1, workers or default_workers())
        self._reader = reader
        self._environ_of = environ_of
        self._forwarder = forwarder
        self._answers: queue.Queue[tuple[Worker | None, Mapping[str, Any] | None]] = queue.Queue()
        self._alive: list[Worker] = []
        self._running: dict[Worker, _RunningTask] = {}
        self._stopping = threading.Event()
        self._failed_starts = 0
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes; a running task is stopped between two API calls."""
        self.stop()
        for worker in self._alive:
            worker.dismiss()
        for worker in self._alive:
            worker.wait()
        self._alive.clear()
        self._running.clear()

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        """Run tasks, as many at a time as there are processes.

        Args:
            tasks: the tasks, which are requested one by one when a process is free.
            on_event: is called with the tasks' events, in the caller's thread.

        Yields:
            The results, in the order in which the tasks end.

        Raises:
            EngineError: no worker starts.
        """
        on_event = on_event or (lambda _: None)
        remaining = iter(tasks)
        while True:
            yield from self._start_tasks(remaining, on_event)
            if not self._running:
                return
            result = self._read_message(on_event)
            if result is not None:
                yield result

    def stop(self) -> None:
        """Start no more tasks; running tasks continue. May be called from any thread."""
        self._stopping.set()
        self._answers.put((None, None))

    # ----------------------------------------------------------------------------------------------

    def _start_tasks(self, remaining: Iterator[Task], on_event: OnTaskEvent) -> Iterator[Result]:
        while len(self._running) < self.workers and not self._stopping.is_set():
            task = next(remaining, None)
            if task is None:
                return
            try:
                environ = dict(self._environ_of(task.stack))
                project = dump_project(self._reader.read_stack(task.stack))
            except Exception as error:  # noqa: BLE001 -- such as a missing passphrase
                yield _make_failure(task, error)
                continue
            worker = self._take_free_worker()
            self._number += 1
            self._running[worker] = _RunningTask(task, self._number, time.monotonic())
            on_event(TaskEvent(task, "began"))
            worker.send(
                {
                    "task": self._number,
                    "kind": task.kind,
                    "project": project,
                    "options": dict(task.options),
                    "environ": environ,
                    "forwarder": self._forwarder,
                }
            )

    def _take_free_worker(self) -> Worker:
        for worker in self._alive:
            if worker not in self._running:
                return worker
        worker = Worker(self._reader.root, self._answers.put)
        self._alive.append(worker)
        return worker

    def _read_message(self, on_event: OnTaskEvent) -> Result | None:
        """Read one message of a worker, and return the result if the message is one."""
        self._kill_hanging()
        try:
            worker, message = self._answers.get(timeout=_TICK)
        except queue.Empty:
            return None
        if worker is None:
            return None
        running = self._running.get(worker)
        if message is None:
            return self._remove_worker(worker, running)
        if "ready" in message:
            self._failed_starts = 0
        if running is None or message.get("task", running.number) != running.number:
            return None  # a late message of a task that was given up
        return self._handle(worker, running, message, on_event)

    def _handle(
        self,
        worker: Worker,
        running: "_RunningTask",
        message: Mapping[str, Any],
        on_event: OnTaskEvent,
    ) -> Result | None:
        if "said" in message:
            data = {"message": message["said"], "severity": "print"}
            on_event(TaskEvent(running.task, "note", data))
        elif "event" in message:
            on_event(TaskEvent(running.task, message["event"], message["data"]))
        elif "ok" in message:
            del self._running[worker]
            fields = {name: value for name, value in message.items() if name != "task"}
            return Result(running.task, **fields)
        return None

    def _remove_worker(self, worker: Worker, running: "_RunningTask | None") -> Result | None:
        """Remove a worker that has ended, and return the failure of its task."""
        self._alive = [other for other in self._alive if other is not worker]
        why = worker.describe_end()
        if not worker.was_ready:
            self._failed_starts += 1
            if self._failed_starts > _FAILED_STARTS:
                raise EngineError(f"no worker starts: {why}")
        if running is None:
            return None
        del self._running[worker]
        seconds = time.monotonic() - running.since
        error = running.given_up or f"its process ended: {why}"
        return Result(running.task, ok=False, error=error, remedy=worker.remedy(), seconds=seconds)

    def _kill_hanging(self) -> None:
        now = time.monotonic()
        for worker, running in self._running.items():
            patience = PATIENCE.get(running.task.kind)
            if patience is not None and now - running.since > patience:
                running.given_up = f"it took longer than {patience:.0f} s"
                worker.kill()


@dataclass
class _RunningTask:
    task: Task
    number: int
    since: float
    given_up: str = ""


def _make_failure(task: Task, error: Exception) -> Result:
    if isinstance(error, FlowflareError):
        return Result(task, ok=False, error=error.message, remedy=error.remedy or "")
    return Result(task, ok=False, error=f"{type(error).__name__}: {error}")
