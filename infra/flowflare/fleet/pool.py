"""Runs many stacks' work in a few processes, each of which imports Pulumi once.

A worker is `python -m flowflare.fleet.worker_process`: one task a line comes in, events and the
result go out. Passphrase and token come in with the task, through the pipe. Whatever a worker does
is one task's failure; the pool goes on with another worker.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self


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
    """

    task: Task
    ok: bool
    value: Any = None
    error: str = ""
    remedy: str = ""
    seconds: float = 0.0
    api_calls: int = 0


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
    """Processes that do tasks.

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
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the processes; a task that still runs is stopped between two calls."""

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        """Does tasks, as many at a time as there are processes.

        Args:
            tasks: what to do; taken one by one, when a process is free.
            on_event: is told what happens, in the caller's thread.

        Yields:
            The results, in the order in which they end.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Hands out no more tasks; those that run come to their end. May be called anywhere."""
