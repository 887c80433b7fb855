"""A Python language host for the Pulumi CLI, in the place of the one that its release brings.

The Go module proxy serves the CLI but not its Python host, which is a Go module of its own that is
never tagged. The protocol is Pulumi's `proto/pulumi/language.proto`: the CLI starts
`pulumi-language-python [flags] ENGINE_ADDRESS`, reads the port from the first line of standard
output and calls `LanguageRuntime`. As in the real host each program runs in a process of its own,
whose output goes to the CLI through the host's.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import types
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2


def _skip_the_sdk() -> None:
    """Let the SDK's protos be imported without the SDK itself, which costs 0.7 s of CPU."""
    spec = importlib.util.find_spec("pulumi")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        module = types.ModuleType(name)
        module.__path__ = [str(path)]
        sys.modules[name] = module


_skip_the_sdk()
from pulumi.runtime.proto import (  # noqa: E402 -- after the two modules above
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
)

PROGRAM = Path(__file__).with_name("pulumi_program.py")
# `pulumi_program.py` ends with it after it has told the CLI what is wrong.
ALREADY_REPORTED = 32


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs Python programs for one CLI.

    Args:
        engine: the address of the CLI's engine, as `host:port`.
    """

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetRequiredPackagesResponse(packages=required_packages())

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        command = [
            python(request.info),
            "-uP",
            str(PROGRAM),
            json.dumps(
                {
                    "project": request.project,
                    "stack": request.stack,
                    "organization": request.organization,
                    "root_directory": request.info.root_directory,
                    "monitor": request.monitor_address,
                    "engine": self._engine,
                    "parallel": request.parallel,
                    "dry_run": request.dryRun,
                }
            ),
            request.info.entry_point,
        ]
        environ = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        with subprocess.Popen(command, cwd=request.pwd or None, env=environ) as program:
            self._running.add(program)
            # The CLI hangs up when it is interrupted.
            context.add_callback(lambda: interrupt(program))
            code = program.wait()
        self._running.discard(program)
        if code == ALREADY_REPORTED:
            return language_pb2.RunResponse(bail=True)
        error = f"program exited with non-zero exit code: {code}" if code else ""
        return language_pb2.RunResponse(error=error)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        for program in tuple(self._running):
            interrupt(program)
        return empty_pb2.Empty()

    def InstallDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        yield from ()  # the environment of the tests has them

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802
        executable, version = python(request.info), platform.python_version()
        return language_pb2.AboutResponse(executable=executable, version=version)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = [
            language_pb2.DependencyInfo(name=one.metadata["Name"], version=one.version)
            for one in importlib.metadata.distributions()
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=found)


def required_packages() -> list[Any]:
    """List the resource plugins that the installed `pulumi-*` packages pin."""
    found = []
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if not name.startswith(("pulumi-", "pulumi_")):
            continue
        spec = importlib.util.find_spec(name.replace("-", "_"))
        declared = (
            Path(spec.origin).with_name("pulumi-plugin.json") if spec and spec.origin else None
        )
        if declared is None or not declared.is_file():
            continue
        fields = json.loads(declared.read_text("utf-8"))
        if fields.get("resource"):
            found.append(
                plugin_pb2.PackageDependency(
                    name=fields["name"],
                    kind="resource",
                    version=f"v{fields['version'].removeprefix('v')}",
                    server=fields.get("server", ""),
                )
            )
    return found


def python(info: Any) -> str:
    """Find the Python of a program: its virtual environment's, PULUMI_PYTHON_CMD, or PATH's."""
    options = dict(info.options)
    if options.get("virtualenv"):
        return str(Path(info.root_directory) / str(options["virtualenv"]) / "bin" / "python")
    found = os.environ.get("PULUMI_PYTHON_CMD") or "python3"
    return shutil.which(found) or sys.executable


def interrupt(program: "subprocess.Popen[bytes]") -> None:
    """Send Ctrl-C to a program that still runs."""
    if program.poll() is None:
        program.send_signal(signal.SIGINT)


def main() -> None:
    """Serve the CLI until it ends this process."""
    # The CLI ends its plugins by Ctrl-C.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    engine = sys.argv[-1] if len(sys.argv) > 1 else ""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
