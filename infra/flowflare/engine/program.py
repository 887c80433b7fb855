"""Runs a Pulumi program in this process, as Pulumi's own host for Python runs it in its own.

The host is `pulumi-language-python-exec` of the SDK: the program's folder first on `sys.path`,
`runpy` with the name `__main__`, everything inside a `Stack`. Two of its habits need care in a
process that runs more than one program: modules that a program imported stay loaded, and
`serialize_provider` patches `pickle` on each call without restoring it, until recursion kills it.
"""

import asyncio
import contextlib
import contextvars
import pickle
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowflare.engine.event_loop import LoopEnded, run_to_end
from flowflare.errors import FlowflareError, ProgramError
from flowflare.redaction.output import redact_output

# A program's body changes sys.argv, sys.modules["__main__"] and pickle: one body at a time.
_BODY_LOCK: Final = threading.Lock()
_PICKLER: Final[Any] = pickle._Pickler  # noqa: SLF001
_PICKLER_METHODS: Final = {
    name: _PICKLER.__dict__.get(name) for name in ("_batch_setitems", "save_dict")
}
_C_PICKLER: Final = pickle.Pickler
_PARALLEL: Final = 16
_SDK: Final = "pulumi.runtime"


@dataclass(frozen=True)
class Program:
    """A Pulumi program and what it is told.

    Attributes:
        root: the folder of `Pulumi.yaml`.
        main: the program's folder, or its file.
        project: the project's name.
        stack: the stack's name.
        config: the configuration by full key, secrets opened.
        secret_keys: the keys whose values are secret.
    """

    root: Path
    main: Path
    project: str
    stack: str
    config: Mapping[str, str]
    secret_keys: Collection[str]

    @property
    def file(self) -> Path:
        """The file that is run."""
        return self.main / "__main__.py" if self.main.is_dir() else self.main

    @property
    def folder(self) -> Path:
        """The folder that its imports are looked for in first."""
        return self.main if self.main.is_dir() else self.main.parent


def run(program: Program, monitor: Any, engine: Any, *, dry_run: bool, waits: bool = False) -> None:
    """Runs a program to its end, every registration served.

    Args:
        program: the program.
        monitor: serves its registrations: a `ResourceMonitor`, or a stub of Pulumi's.
        engine: takes its messages: an `Engine`, or a stub of Pulumi's.
        dry_run: whether it is a preview.
        waits: whether calls wait for another process; a preview of ours answers at once.

    Raises:
        FlowflareError: one that the program raised, itself or as the cause of Pulumi's RunError.
        KeyboardInterrupt: Ctrl-C, or a program or provider that raises it.
        ProgramError: the program failed in any other way, or is not there.
    """
    if not program.file.is_file():
        raise ProgramError(
            f"there is no program at {program.file}",
            remedy="Set `main` in Pulumi.yaml to the folder of the program's __main__.py.",
        )
    try:
        with redact_output():
            contextvars.Context().run(_run, program, monitor, engine, dry_run=dry_run, waits=waits)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _explained(error, program) from error
    finally:
        _restore_pickle()


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Makes a program's own modules importable, and forgets them afterwards.

    The next run sees them as they are on disk then. The package itself, which in a checkout lies
    in the same folder, stays.
    """
    path = str(folder)
    before = set(sys.modules)
    sys.path.insert(0, path)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(path)
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None) or ""
            own = name.partition(".")[0] == __name__.partition(".")[0]
            if file.startswith(path + "/") and not own:
                sys.modules.pop(name, None)


def _run(program: Program, monitor: Any, engine: Any, *, dry_run: bool, waits: bool) -> None:
    from pulumi.runtime import config, settings
    from pulumi.runtime.stack import run_in_stack

    config.set_all_config(dict(program.config), list(program.secret_keys))

    def body() -> None:
        with _BODY_LOCK:
            try:
                runpy.run_path(str(program.file), run_name="__main__")
            finally:
                _restore_pickle()

    async def main() -> None:
        # The SDK's settings are context variables: they hold for this task and what it starts.
        settings.configure(
            settings.Settings(
                project=program.project,
                stack=program.stack,
                organization="organization",
                root_directory=str(program.root),
                monitor=monitor,
                engine=engine,
                dry_run=dry_run,
                parallel=_PARALLEL,
            )
        )
        try:
            await run_in_stack(body)
        except SystemExit as end:
            # A program may end itself with sys.exit(0): what it has declared is registered by now.
            # A callback may not, because others have not run yet, and what they would declare
            # would be deleted. Its `SystemExit` ends the loop and does not come here.
            if end.code or isinstance(end, LoopEnded):
                raise

    executor = _InPlace if dry_run and not waits else ThreadPoolExecutor
    run_to_end(main, executor(_PARALLEL, thread_name_prefix="resource"))


class _InPlace(ThreadPoolExecutor):
    """Does the SDK's calls of the engine at once: in a preview none of them waits for anything.

    What a program hands over itself still runs in a thread. A preview's calls are short, and going
    to a thread and back costs more than most of them.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        if not fn.__module__.startswith(_SDK):
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        loop = asyncio.get_running_loop()
        # A dynamic provider may run a loop of its own, as in a thread.
        asyncio._set_running_loop(None)  # noqa: SLF001 -- one of its public names
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 -- the future raises it where it is awaited
            future.set_exception(error)
        finally:
            asyncio._set_running_loop(loop)  # noqa: SLF001
        return future


def _restore_pickle() -> None:
    for name, method in _PICKLER_METHODS.items():
        if method is not None:
            setattr(_PICKLER, name, method)
        elif name in _PICKLER.__dict__:
            delattr(_PICKLER, name)
    pickle.Pickler = _C_PICKLER  # type: ignore[misc]


def _explained(error: BaseException, program: Program) -> FlowflareError:
    """The error to show: ours where the program passed one on, else where and what it was."""
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and cause not in seen:
        if isinstance(cause, FlowflareError):
            return cause
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    return ProgramError(f"{_place(error, program)}: {_message(error)}")


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the program ended itself with {error.code!r}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, asyncio.CancelledError):
        return f"the program cancelled what its resources wait for ({str(error) or 'no reason'})"
    if type(error).__name__ == "RunError":
        return str(error)
    return f"{type(error).__name__}: {error}"


def _place(error: BaseException, program: Program) -> str:
    """File and line of the program's own code, the innermost there is."""
    # A limit of its own: a recording sets `sys.tracebacklimit`.
    found = traceback.extract_tb(error.__traceback__, limit=sys.getrecursionlimit())
    frames = [(frame.filename, frame.lineno) for frame in found]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    folder = f"{program.folder}/"
    package = str(Path(__file__).parent.parent)
    own = [one for one in frames if one[0].startswith(folder) and not one[0].startswith(package)]
    if not own:
        return _shown(program.file, program)
    return f"{_shown(Path(own[-1][0]), program)}:{own[-1][1]}"


def _shown(path: Path, program: Program) -> str:
    return str(path.relative_to(program.root)) if path.is_relative_to(program.root) else str(path)
