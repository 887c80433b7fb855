"""Run a program without an engine and record what it declares.

Pulumi's own mock monitor answers, extended by whole URNs, dependencies, protection and secrets,
which it omits.
"""

import asyncio
import contextvars
import runpy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func


@dataclass(frozen=True)
class Declared:
    """One resource as the engine receives it; secrets are `{"secret": value}`."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    protect: bool
    secret_outputs: tuple[str, ...]


class Answers(mocks.Mocks):
    """Answers each resource with its inputs and what Cloudflare would add."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ.endswith(":ApiKey"):
            outputs |= {"key_id": "0011aabb", "api_key": "ff_dev_0011aabb_key"}
        if args.typ.endswith(":SecretValue"):
            outputs["value"] = f"<value of {args.inputs['secret_name']}>"
        if args.typ.endswith(":WorkersDevUrl"):
            outputs["url"] = f"https://{args.inputs['script_name']}.example.workers.dev"
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


class RecordingMonitor(mocks.MockMonitor):
    """Pulumi's mock monitor, which also records the requests."""

    def __init__(self) -> None:
        super().__init__(Answers())
        self.declared: list[Declared] = []
        self.outputs: dict[str, Any] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        chain = parent.split("::")[2] if parent else ""
        if chain and chain != "pulumi:pulumi:Stack":
            type_ = f"{chain}${type_}"
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{type_}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 -- the service's word
        with _loop_of_this_thread():
            response = super().RegisterResource(request)
            inputs = rpc.deserialize_properties(request.object)
        self.declared.append(
            Declared(
                urn=response.urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                inputs={key: _simplify(value) for key, value in inputs.items() if key[:2] != "__"},
                dependencies=tuple(sorted(request.dependencies)),
                protect=request.protect,
                secret_outputs=tuple(request.additionalSecretOutputs),
            )
        )
        return response

    def get_resource(self, name: str) -> Declared:
        """Return the only resource with a name."""
        [found] = [
            resource for resource in self.declared if resource.name == name and resource.custom
        ]
        return found


def record(
    program: Callable[[], object] | Path,
    *,
    config: Mapping[str, str],
    project: str = "flowflare",
    stack: str = "dev",
) -> RecordingMonitor:
    """Run a function or a program's file, and return what it declared.

    Raises whatever the program raises.
    """
    monitor = RecordingMonitor()

    def run() -> None:
        if isinstance(program, Path):
            runpy.run_path(str(program), run_name="__main__")
        else:
            program()

    def inside() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            mocks.set_mocks(monitor.mocks, project, stack, preview=False, monitor=monitor)
            pulumi_config.set_all_config(dict(config))
            loop.run_until_complete(run_pulumi_func(run))
            loop.run_until_complete(loop.shutdown_default_executor())
            root = pulumi.runtime.get_root_resource()
            monitor.outputs = loop.run_until_complete(_resolve(root))
        finally:
            loop.close()
            asyncio.set_event_loop(None)

    contextvars.copy_context().run(inside)
    return monitor


@contextmanager
def _loop_of_this_thread() -> Iterator[None]:
    """Provide the event loop that Pulumi's mock monitor needs, and remove it afterwards."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _resolve(root: Any) -> dict[str, Any]:
    shown = {}
    for name, value in root.outputs.items():
        output = pulumi.Output.from_input(value)
        plain = await output.future()
        shown[name] = {"secret": plain} if await output.is_secret() else plain
    return shown


def _simplify(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return {"secret": _simplify(rpc.unwrap_rpc_secret(value))}
    if isinstance(value, dict):
        return {key: _simplify(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_simplify(item) for item in value]
    return value
