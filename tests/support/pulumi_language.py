"""Run a Python language host for the Pulumi CLI, in place of the one in Pulumi's releases.

The Go module proxy serves the CLI but not its Python host, which is a separate Go module without
tags. The protocol is Pulumi's `proto/pulumi/language.proto`: the CLI starts
`pulumi-language-python [flags] ENGINE_ADDRESS`, reads the port from the first line of standard
output and calls `LanguageRuntime`. As in the real host, each program runs in its own process, and
the host passes the program's output to the CLI.
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
    """Make the SDK's protos importable without the SDK, which costs 0.7 s of CPU."""
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
# The exit code of `pulumi_program.py` after it reported the error to the CLI.
ALREADY_REPORTED = 32


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Run Python programs for one CLI.

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
        return language_pb2.GetRequiredPackagesResponse(packages=list_required_packages())

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        command = [
            find_python(request.info),
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
            # The CLI closes the call when it is interrupted.
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
        yield from ()  # they are installed in the tests' environment

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802
        executable, version = find_python(request.info), platform.python_version()
        return language_pb2.AboutResponse(executable=executable, version=version)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        dependencies = [
            language_pb2.DependencyInfo(
                name=distribution.metadata["Name"], version=distribution.version
            )
            for distribution in importlib.metadata.distributions()
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)


def list_required_packages() -> list[Any]:
    """List the resource plugins that the installed `pulumi-*` packages pin."""
    packages = []
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if not name.startswith(("pulumi-", "pulumi_")):
            continue
        spec = importlib.util.find_spec(name.replace("-", "_"))
        plugin_file = (
            Path(spec.origin).with_name("pulumi-plugin.json") if spec and spec.origin else None
        )
        if plugin_file is None or not plugin_file.is_file():
            continue
        fields = json.loads(plugin_file.read_text("utf-8"))
        if fields.get("resource"):
            packages.append(
                plugin_pb2.PackageDependency(
                    name=fields["name"],
                    kind="resource",
                    version=f"v{fields['version'].removeprefix('v')}",
                    server=fields.get("server", ""),
                )
            )
    return packages


def find_python(info: Any) -> str:
    """Find Python for a program: in its virtual environment, in PULUMI_PYTHON_CMD or on PATH."""
    options = dict(info.options)
    if options.get("virtualenv"):
        return str(Path(info.root_directory) / str(options["virtualenv"]) / "bin" / "python")
    command = os.environ.get("PULUMI_PYTHON_CMD") or "python3"
    return shutil.which(command) or sys.executable


def interrupt(program: "subprocess.Popen[bytes]") -> None:
    """Send SIGINT to a program if it still runs."""
    if program.poll() is None:
        program.send_signal(signal.SIGINT)


def main() -> None:
    """Serve the CLI until it ends this process."""
    # The CLI ends its plugins with SIGINT.
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
