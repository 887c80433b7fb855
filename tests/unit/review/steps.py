"""Make steps of plans as an engine makes them."""

from typing import Any

from flowflare.values.events import Op, Step
from flowflare.values.show import changes

TYPES = {
    "D1Database": "cloudflare:index/d1Database:D1Database",
    "WorkersScript": "cloudflare:index/workersScript:WorkersScript",
    "WorkersScriptSubdomain": "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain",
    "WorkersRoute": "cloudflare:index/workersRoute:WorkersRoute",
    "WorkersCustomDomain": "cloudflare:index/workersCustomDomain:WorkersCustomDomain",
    "WorkersCronTrigger": "cloudflare:index/workersCronTrigger:WorkersCronTrigger",
    "Workflow": "cloudflare:index/workflow:Workflow",
    "R2Bucket": "cloudflare:index/r2Bucket:R2Bucket",
}
TRACKER = {"name": "TRACKER", "type": "durable_object_namespace", "className": "Tracker"}


def step(
    op: Op,
    kind: str,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    **more: Any,
) -> Step:
    type_ = TYPES.get(kind, f"pulumi-python:dynamic/flowflare:{kind}")
    name = more.pop("name", kind.lower())
    return Step(
        op,
        f"urn:pulumi:dev::p::{type_}::{name}",
        type_,
        name,
        changes=changes(old or {}, new or {}) if op != "delete" else (),
        old=old,
        new=new,
        **more,
    )


def script(name: str, *bindings: dict[str, Any], code: str = "1") -> dict[str, Any]:
    return {"scriptName": name, "content": code, "bindings": list(bindings)}


def history(*steps: dict[str, Any], name: str = "service") -> dict[str, Any]:
    return {"script_name": name, "history": list(steps)}
