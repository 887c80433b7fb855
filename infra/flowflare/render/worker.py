"""Renders the Workers of a stack: the service around its bundle, each client as it is bundled."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowflare import library
from flowflare.errors import RenderError
from flowflare.model.bindings import RPC_CLASS, TRACKER_CLASS
from flowflare.model.class_history import classes_after
from flowflare.model.class_neighbours import ClassNeighbours, neighbours_of
from flowflare.model.client import ClientSpec
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.reading.files import read_text
from flowflare.render.bundle import SERVICE_SPECIFIER, Source, bundle_sources
from flowflare.render.cache import Bundle
from flowflare.render.node import Progress
from flowflare.render.templates import JavaScript, render

MAIN_MODULE = "worker.js"
_TEMPLATE = "service.js.j2"
_FACTORY = "createWorkflowService"
# esbuild ends an ES module with one clause of all its exports.
_EXPORT_CLAUSE = re.compile(r"\nexport \{\n((?:  [^\n]+\n)+)\};\n*\Z")


@dataclass(frozen=True)
class RenderedWorker:
    """The code of one Worker.

    Attributes:
        script_name: its name in the account.
        main_module: the module's name.
        content: the ES module.
        content_sha256: SHA-256 of the content in hexadecimal.
        exports: what the module exports, sorted.
    """

    script_name: str
    main_module: str
    content: str
    content_sha256: str
    exports: tuple[str, ...]


@dataclass(frozen=True)
class RenderedStack:
    """The code of a stack's Workers.

    Attributes:
        service: the tracking service.
        clients: the clients by their names in the configuration.
    """

    service: RenderedWorker
    clients: Mapping[str, RenderedWorker]

    def workers(self) -> tuple[RenderedWorker, ...]:
        """All of them, the service first."""
        return (self.service, *self.clients.values())


def render_stack(
    spec: StackSpec, *, root: Path, on_progress: Progress | None = None
) -> RenderedStack:
    """Renders every Worker of a stack.

    Args:
        spec: the stack.
        root: the project's folder, which sources and own templates are relative to.
        on_progress: is told what takes long.

    Raises:
        RenderError: a source does not bundle, or lacks a class that is bound.
        NodeError: a source must be bundled and Node cannot run.
    """
    finished = library.finished_service_bundle()
    sources = [Source(client.source, root) for client in spec.clients]
    if finished is None:
        sources.append(service_source())
    bundles = bundle_sources(sources, root=root, on_progress=on_progress) if sources else []
    service = read_finished(finished) if finished else bundles.pop()
    return RenderedStack(
        service=render_service(spec.service, service, root=root),
        clients=_rendered_clients(spec.clients, bundles),
    )


def render_clients(
    clients: Sequence[ClientSpec], *, root: Path, on_progress: Progress | None = None
) -> Mapping[str, RenderedWorker]:
    """Renders clients alone, for a program whose service is another stack's.

    Args:
        clients: the clients.
        root: the project's folder, which sources are relative to.
        on_progress: is told what takes long.

    Returns:
        The clients' code by their names in the configuration.

    Raises:
        RenderError: a source does not bundle, or lacks a class that is bound.
        NodeError: a source must be bundled and Node cannot run.
    """
    sources = [Source(client.source, root) for client in clients]
    bundles = bundle_sources(sources, root=root, on_progress=on_progress) if sources else []
    return _rendered_clients(clients, bundles)


def _rendered_clients(
    specs: Sequence[ClientSpec], bundles: Sequence[Bundle]
) -> Mapping[str, RenderedWorker]:
    clients = list(zip(specs, bundles, strict=True))
    histories = {client.script_name: client.class_migrations for client in specs}
    problems = [
        problem
        for client, bundle in clients
        for problem in _missing(client, bundle, neighbours_of(client.script_name, histories))
    ]
    if problems:
        has_classes = any("Durable Object" in problem for problem in problems)
        remedy = f"{_EXPORT_REMEDY} {_CLASS_REMEDY}" if has_classes else _EXPORT_REMEDY
        raise RenderError("\n".join(problems), remedy=remedy)
    return {
        client.name: _rendered(client.script_name, _tagged(client, bundle), bundle.exports)
        for client, bundle in clients
    }


def _tagged(client: ClientSpec, bundle: Bundle) -> str:
    """A client's code; as the service's, its first line changes with its class migrations.

    What makes the class migrations upload, without secrets and Workflows on a new script, also
    changes the script that follows them.
    """
    if not client.class_migrations:
        return bundle.content
    tag = json.dumps(client.class_migrations[-1].tag)
    return f"// class migrations up to {tag}\n{bundle.content}"


def service_source() -> Source:
    """The runtime library's own source, which the service is bundled from."""
    return Source(
        SERVICE_SPECIFIER, library.folder("worker_src"), (RPC_CLASS, TRACKER_CLASS, _FACTORY)
    )


def read_finished(path: Path) -> Bundle:
    """Reads a bundle that travels with the package."""
    content = read_text(path)
    return Bundle(content, tuple(sorted(_split(content)[1])))


def render_service(spec: ServiceSpec, bundle: Bundle, *, root: Path) -> RenderedWorker:
    """Renders the stack's part of the service around its bundle.

    The first line carries the last class-migration tag: what makes the class migrations upload
    also changes the script that follows them.

    Args:
        spec: the service.
        bundle: the runtime library's bundle.
        root: the project's folder, for templates of its own.

    Raises:
        RenderError: the template is wrong, or the bundle lacks what it needs.
    """
    code, exports = _split(bundle.content)
    lacking = {_FACTORY, RPC_CLASS, TRACKER_CLASS} - set(exports)
    if lacking:
        raise RenderError(f"the service's bundle does not export {', '.join(sorted(lacking))}")
    context = {
        "bundle": JavaScript(code),
        "exports": {name: JavaScript(local) for name, local in exports.items()},
        "options": _options(spec),
        "class_migration_tag": spec.class_migrations[-1].tag,
    }
    content = render(_TEMPLATE, context, root=root)
    return _rendered(spec.script_name, content, ("default", RPC_CLASS, TRACKER_CLASS))


def _options(spec: ServiceSpec) -> dict[str, object]:
    """What `createWorkflowService` is called with; what is left out is the runtime's default."""
    options: dict[str, object] = {
        "allowedOrigins": list(spec.allowed_origins),
        "debug": spec.debug,
    }
    if spec.retention_days is not None:
        options["retention"] = {"days": spec.retention_days}
    if spec.stuck_after_minutes is not None:
        options["stuckAfterMinutes"] = spec.stuck_after_minutes
    return options


_EXPORT_REMEDY = (
    "A Worker exports its handlers (`export default { fetch() {} }`) and every Workflow's class "
    "(`export class OrderWorkflow extends WorkflowEntrypoint {}`)."
)


_CLASS_REMEDY = (
    "A Durable Object's class is exported too (`export class Cart extends DurableObject {}`) until "
    "a step of `classMigrations` deletes it, or one of another client takes it over."
)


def _missing(client: ClientSpec, bundle: Bundle, neighbours: ClassNeighbours) -> Sequence[str]:
    """What the source has to export and does not; Cloudflare's answers are 10061 and 10064."""
    wanted = (
        {"default": "its handlers, `export default`"}
        | _classes(client, neighbours)
        | {
            one.class_name: f"the class `{one.class_name}` of its Workflow `{one.name}`"
            for one in client.workflows
        }
    )
    exported = ", ".join(bundle.exports) or "nothing"
    return [
        f"{client.source}: client `{client.name}` does not export {what}; it exports {exported}"
        for name, what in wanted.items()
        if name not in bundle.exports
    ]


def _classes(client: ClientSpec, neighbours: ClassNeighbours) -> dict[str, str]:
    """The Durable Object classes that a client must export, each with what it is."""
    found = {}
    for name in classes_after(client.class_migrations):
        if name in neighbours.taken:
            continue
        found[name] = f"the Durable Object class `{name}` of its classMigrations"
        if name in neighbours.begun:
            found[name] += (
                f" (the script {neighbours.begun[name]} begins one of that name: to take the "
                "objects along, it needs transferredClasses instead)"
            )
    return found | {
        one.class_name: f"the class `{one.class_name}` of its Durable Object `{one.binding}`"
        for one in client.durable_objects
    }


def _split(content: str) -> tuple[str, dict[str, str]]:
    """The code before the export clause, and the local name of each export."""
    clause = _EXPORT_CLAUSE.search(content)
    if clause is None:
        raise RenderError("the service's bundle has no export clause at its end")
    exports = {}
    for item in clause.group(1).split(","):
        local, _, exported = item.strip().partition(" as ")
        if local:
            exports[exported or local] = local
    return content[: clause.start()], exports


def _rendered(script_name: str, content: str, exports: Sequence[str]) -> RenderedWorker:
    return RenderedWorker(
        script_name=script_name,
        main_module=MAIN_MODULE,
        content=content,
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
        exports=tuple(exports),
    )
