"""Run the program in this process for a preview of the Pulumi CLI, and record its declarations.

The CLI calls a language host at an address (`--client`) instead of starting its own, as it does for
an inline program of the Automation API. The program runs once: each registration goes to the CLI,
whose answer is used, and then to the embedded engine's monitor, which plans it in detail. Running
the program a second time for those details would cost half as much CPU as the whole preview.
"""

import contextlib
import io
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from dataclasses import replace
from typing import Any, Final

from flowflare.engine.embedded.monitor import Engine, ResourceMonitor
from flowflare.engine.embedded.program import Program, run
from flowflare.errors import FlowflareError

#: Calls of a program that the recording receives too.
_RECORDED: Final = frozenset({"RegisterResource", "RegisterResourceOutputs", "ReadResource"})


class ServedProgram:
    """A program that one command of the CLI runs.

    Args:
        run_cli: runs the command to its end; takes the address of the language host.
    """

    def __init__(self, run_cli: Callable[[str], None], environ: Mapping[str, str]) -> None:
        self._run_cli = run_cli
        self._environ = environ
        #: Whether the command was started.
        self.started = False
        #: Why the program failed; None if it did not.
        self.error: FlowflareError | None = None
        #: Whether the program ran to its end.
        self.succeeded = False
        #: Whether it did, and the recording has all its declarations.
        self.recorded = False

    def run(
        self, program: Program, monitor: ResourceMonitor, engine: Engine, *, dry_run: bool
    ) -> None:
        """Run the command, which runs the program, in place of `embedded.program.run`.

        Args:
            program: the program; the CLI gives it its configuration.
            engine: not used: the CLI takes the program's messages.
            dry_run: not used: the command is a preview.
        """
        del engine, dry_run
        self.started = True
        with _serving(self, program, monitor) as address:
            self._run_cli(address)

    def execute(self, program: Program, monitor: ResourceMonitor, request: Any) -> None:
        """Run the program for a request of the CLI.

        Args:
            request: the CLI's `RunRequest`.
        """
        import grpc  # type: ignore[import-untyped]
        from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

        configured = replace(
            program, config=dict(request.config), secret_keys=list(request.configSecretKeys)
        )
        with (
            grpc.insecure_channel(request.monitor_address, options=_UNLIMITED) as to_monitor,
            grpc.insecure_channel(request.args[0], options=_UNLIMITED) as to_engine,
        ):
            both = _Both(resource_pb2_grpc.ResourceMonitorStub(to_monitor), monitor)
            log = engine_pb2_grpc.EngineStub(to_engine)
            try:
                with _surroundings(request.pwd, self._environ), _Printed(log):
                    run(configured, both, log, dry_run=request.dryRun, waits=True)
            except FlowflareError as error:
                self.error = error
        self.succeeded = self.error is None
        self.recorded = self.succeeded and both.recorded


# The SDK's own limit: a Worker's code may exceed the default of 4 MiB.
_UNLIMITED: Final = [
    ("grpc.max_receive_message_length", 1024 * 1024 * 400),
    ("grpc.max_send_message_length", 1024 * 1024 * 400),
]


class _Both:
    """Passes registrations to the CLI's monitor, and then to the recording's."""

    def __init__(self, cli: Any, recording: ResourceMonitor) -> None:
        self._cli = cli
        self._recording = recording
        self.recorded = True

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._cli, method)
        if method not in _RECORDED:
            return call

        def call_both(request: Any) -> Any:
            answer = call(request)
            try:
                getattr(self._recording, method)(request)
            except Exception:  # noqa: BLE001 -- the CLI's plan is valid without details
                self.recorded = False
            return answer

        return call_both


class _Printed(contextlib.redirect_stdout[io.TextIOWrapper]):
    """Turns the program's output into messages of the run, as the CLI does."""

    def __init__(self, engine: Any) -> None:
        self._lines = _Lines(engine)
        super().__init__(io.TextIOWrapper(self._lines, encoding="utf-8", write_through=True))

    def __exit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        self._lines.write(b"\n")


class _Lines(io.RawIOBase):
    name = "<stdout>"

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._rest = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        from pulumi.runtime.proto import engine_pb2

        *lines, self._rest = (self._rest + bytes(data)).split(b"\n")
        for line in filter(bytes.strip, lines):
            text = line.decode(errors="replace")
            request = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text)
            with contextlib.suppress(Exception):  # the CLI has ended
                self._engine.Log(request)
        return len(data)


@contextlib.contextmanager
def _surroundings(folder: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Set the working folder and the environment that the program would have in its own process."""
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        with contextlib.chdir(folder or "."):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _serving(served: ServedProgram, program: Program, monitor: ResourceMonitor) -> Iterator[str]:
    """Serve Pulumi's `LanguageRuntime` during a command; yields the address."""
    import grpc
    from google.protobuf import empty_pb2  # type: ignore[import-untyped]
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

    over = threading.Event()

    class Host(language_pb2_grpc.LanguageRuntimeServicer):
        """Answers the calls of the CLI that a preview needs."""

        def About(self, *_: Any) -> Any:  # noqa: N802
            version = platform.python_version()
            return language_pb2.AboutResponse(executable=sys.executable, version=version)

        def Cancel(self, *_: Any) -> Any:  # noqa: N802
            over.set()
            return empty_pb2.Empty()

        def GetPluginInfo(self, *_: Any) -> Any:  # noqa: N802
            return plugin_pb2.PluginInfo()

        def GetRequiredPackages(self, *_: Any) -> Any:  # noqa: N802
            return language_pb2.GetRequiredPackagesResponse()

        def GetProgramDependencies(self, *_: Any) -> Any:  # noqa: N802
            return language_pb2.GetProgramDependenciesResponse()

        def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
            def execute() -> None:
                try:
                    served.execute(program, monitor, request)
                finally:
                    over.set()

            context.add_callback(over.set)  # the CLI has ended
            # A daemon: after Ctrl-C, a program that hangs must not block the CLI or this process.
            threading.Thread(target=execute, name="program", daemon=True).start()
            over.wait()
            # `bail`: the CLI does not need to report the reason, because we do.
            return language_pb2.RunResponse(bail=not served.succeeded)

    server = grpc.server(futures.ThreadPoolExecutor(4), options=_UNLIMITED)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
