"""Run a Pulumi program in this process, as Pulumi's host for Python does in a process of its own.

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

from flowflare.config.files import Project
from flowflare.config.stacks import RUNNING
from flowflare.engine.embedded.event_loop import LoopEnded, run_to_end
from flowflare.engine.given_secrets import learn_given_secrets
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
    """A Pulumi program, with the settings that it runs with.

    Attributes:
        config: the configuration by full key, secrets opened.
        secret_keys: the keys whose values are secret.
    """

    project: Project
    config: Mapping[str, str]
    secret_keys: Collection[str]

    @property
    def file(self) -> Path:
        """Return the file that is run."""
        main = self.project.main
        return main / "__main__.py" if main.is_dir() else main

    @property
    def folder(self) -> Path:
        """Return the folder in which imports are looked up first."""
        return self.file.parent


def run(program: Program, monitor: Any, engine: Any, *, dry_run: bool, waits: bool = False) -> None:
    """Run a program to its end, and serve every registration.

    Args:
        monitor: serves its registrations: a `ResourceMonitor`, or a stub of Pulumi's.
        engine: takes its messages: an `Engine`, or a stub of Pulumi's.
        dry_run: whether it is a preview.
        waits: whether calls wait for another process; the embedded engine's preview answers at
            once.

    Raises:
        FlowflareError: one that the program raised, itself or as the cause of Pulumi's RunError.
        KeyboardInterrupt: Ctrl-C, or a program or provider that raises it.
        ProgramError: the program failed in any other way, or its file is missing.
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
        raise _explain(error, program) from error
    finally:
        _restore_pickle()


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Make a program's own modules importable, and unload them afterwards.

    The next run therefore reads them from disk again. The package itself stays loaded; in a
    checkout it is in the same folder.
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


@contextlib.contextmanager
def admit_code(project: Project, environ: Mapping[str, str]) -> Iterator[None]:
    """Admit code of a project: its program, and the providers of its dynamic resources.

    Its modules are importable, and known secrets are replaced in what it writes.

    Args:
        project: the stack's project.
        environ: the environment, with variables that are secrets.
    """
    learn_given_secrets(project, environ)
    main = project.main
    with redact_output(), importable(main if main.is_dir() else main.parent):
        yield


def _run(program: Program, monitor: Any, engine: Any, *, dry_run: bool, waits: bool) -> None:
    from pulumi.runtime import config, settings
    from pulumi.runtime.stack import run_in_stack

    RUNNING.set(program.project)
    config.set_all_config(dict(program.config), list(program.secret_keys))

    def body() -> None:
        with _BODY_LOCK:
            try:
                runpy.run_path(str(program.file), run_name="__main__")
            finally:
                _restore_pickle()

    async def main() -> None:
        # The SDK's settings are context variables: they apply to this task and the tasks it starts.
        settings.configure(
            settings.Settings(
                project=program.project.name,
                stack=program.project.stack,
                organization="organization",
                root_directory=str(program.project.root),
                monitor=monitor,
                engine=engine,
                dry_run=dry_run,
                parallel=_PARALLEL,
            )
        )
        try:
            await run_in_stack(body)
        except SystemExit as end:
            # A program may end itself with sys.exit(0): its declarations are registered by now.
            # A callback may not: other callbacks have not run yet, and the resources that they
            # would declare would be deleted. Its `SystemExit` ends the loop and is not caught here.
            if end.code or isinstance(end, LoopEnded):
                raise

    executor = _InPlace if dry_run and not waits else ThreadPoolExecutor
    run_to_end(main, executor(_PARALLEL, thread_name_prefix="resource"))


class _InPlace(ThreadPoolExecutor):
    """Runs the SDK's calls of the engine at once: in a preview they do not wait for anything.

    Functions that the program submits still run in a thread. The calls of a preview are short, and
    switching to a thread and back costs more than most of them.
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


def _explain(error: BaseException, program: Program) -> FlowflareError:
    """Return our own error if the program raised one, else its place and message."""
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and cause not in seen:
        if isinstance(cause, FlowflareError):
            return cause
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    return ProgramError(f"{_find_place(error, program)}: {_describe(error)}")


def _describe(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the program ended itself with {error.code!r}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, asyncio.CancelledError):
        return f"the program cancelled what its resources wait for ({str(error) or 'no reason'})"
    if type(error).__name__ == "RunError":
        return str(error)
    return f"{type(error).__name__}: {error}"


def _find_place(error: BaseException, program: Program) -> str:
    """Return file and line of the innermost frame in the program's own code."""
    # A limit of its own: a recording sets `sys.tracebacklimit`.
    found = traceback.extract_tb(error.__traceback__, limit=sys.getrecursionlimit())
    frames = [(frame.filename, frame.lineno) for frame in found]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    folder = f"{program.folder}/"
    package = str(Path(__file__).parents[2])
    own = [
        frame
        for frame in frames
        if frame[0].startswith(folder) and not frame[0].startswith(package)
    ]
    if not own:
        return _show_path(program.file, program)
    return f"{_show_path(Path(own[-1][0]), program)}:{own[-1][1]}"


def _show_path(path: Path, program: Program) -> str:
    root = program.project.root
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
