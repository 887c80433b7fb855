"""Run Pulumi's own host for dynamic providers as a process, with a gRPC client."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@contextmanager
def serve_host(
    config: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, cwd: Path
) -> Iterator[Any]:
    """Start the host, configure it, and yield its stub."""
    variables = os.environ | {"PULUMI_PROJECT": "shop"} | dict(environment or {})
    command = [sys.executable, "-u", "-m", "pulumi.dynamic"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=variables, cwd=cwd) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                stub.Configure(provider_pb2.ConfigureRequest(args=struct(config)))
                yield stub
        finally:
            process.kill()


def struct(values: Mapping[str, Any]) -> Struct:
    made = Struct()
    made.update({name: value for name, value in values.items() if value is not None})
    return made
