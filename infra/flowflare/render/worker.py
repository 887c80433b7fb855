"""Render the Workers of a stack: the service around its bundle, each client as it is bundled."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flowflare import library
from flowflare.errors import RenderError
from flowflare.model.bindings import RPC_CLASS, TRACKER_CLASS
from flowflare.model.class_history import list_classes_after
from flowflare.model.class_neighbours import ClassNeighbours, find_neighbours
from flowflare.model.client import ClientSpec
from flowflare.model.code_module import CodeModule
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json
from flowflare.render.assets import RenderedAssets, read_assets
from flowflare.render.bundle import SERVICE_SPECIFIER, BundleSource, bundle_sources
from flowflare.render.cache import Bundle
from flowflare.render.compatibility import read_node_compat
from flowflare.render.node import Progress
from flowflare.render.templates import JavaScript, render

MAIN_MODULE = "worker.js"
#: The content type of a source map in an upload.
SOURCE_MAP = "application/source-map"
_TEMPLATE = "service.js.j2"
_FACTORY = "createWorkflowService"
# esbuild ends an ES module with one export clause.
_EXPORT_CLAUSE = re.compile(r"\nexport \{\n((?:  [^\n]+\n)+)\};\n*\Z")


@dataclass(frozen=True)
class RenderedWorker:
    """The code of one Worker.

    Attributes:
        script_name: the Worker's name in the account.
        content: the ES module.
        content_sha256: the SHA-256 of the content, in hexadecimal.
        exports: the module's exports, sorted.
        modules: what is uploaded beside it: modules that it imports, and its source map.
        assets: its static assets; None if it has none.
    """

    script_name: str
    main_module: str
    content: str
    content_sha256: str
    exports: tuple[str, ...]
    modules: tuple[CodeModule, ...] = ()
    assets: RenderedAssets | None = None


@dataclass(frozen=True)
class RenderedStack:
    """The code of a stack's Workers.

    Attributes:
        clients: the clients by their names in the configuration.
    """

    service: RenderedWorker
    clients: Mapping[str, RenderedWorker]

    def workers(self) -> tuple[RenderedWorker, ...]:
        """Return all Workers, the service first."""
        return (self.service, *self.clients.values())


def render_stack(
    spec: StackSpec, *, root: Path, on_progress: Progress | None = None
) -> RenderedStack:
    """Render every Worker of a stack.

    Args:
        root: the project's folder, for sources and own templates.
        on_progress: receives a message about slow work.

    Raises:
        RenderError: a source cannot be bundled, or does not export a bound class.
        NodeError: a source must be bundled, but Node cannot run.
    """
    finished = library.finished_service_bundle()
    sources = [_make_client_source(client, root) for client in spec.clients]
    if finished is None:
        sources.append(make_service_source())
    bundles = bundle_sources(sources, root=root, on_progress=on_progress) if sources else []
    service = read_bundle(finished) if finished else bundles.pop()
    return RenderedStack(
        service=render_service(spec.service, service, root=root),
        clients=_render_clients(spec.clients, bundles, root),
    )


def render_clients(
    clients: Sequence[ClientSpec], *, root: Path, on_progress: Progress | None = None
) -> Mapping[str, RenderedWorker]:
    """Render only clients, for a program whose service belongs to another stack.

    Args:
        root: the project's folder, for sources.
        on_progress: receives a message about slow work.

    Returns:
        The clients' code by their names in the configuration.

    Raises:
        RenderError: a source cannot be bundled, or does not export a bound class.
        NodeError: a source must be bundled, but Node cannot run.
    """
    sources = [_make_client_source(client, root) for client in clients]
    bundles = bundle_sources(sources, root=root, on_progress=on_progress) if sources else []
    return _render_clients(clients, bundles, root)


def _make_client_source(client: ClientSpec, root: Path) -> BundleSource:
    compatibility = read_node_compat(client.compatibility_date, client.compatibility_flags)
    return BundleSource(
        client.source,
        root,
        node_compat=compatibility,
        has_source_map=client.upload_source_maps,
        rules=client.rules,
    )


def _render_clients(
    specs: Sequence[ClientSpec], bundles: Sequence[Bundle], root: Path
) -> Mapping[str, RenderedWorker]:
    clients = list(zip(specs, bundles, strict=True))
    histories = {client.script_name: client.class_migrations for client in specs}
    problems = [
        problem
        for client, bundle in clients
        for problem in _list_missing(client, bundle, find_neighbours(client.script_name, histories))
    ]
    if problems:
        has_classes = any("Durable Object" in problem for problem in problems)
        remedy = f"{_EXPORT_REMEDY} {_CLASS_REMEDY}" if has_classes else _EXPORT_REMEDY
        raise RenderError("\n".join(problems), remedy=remedy)
    return {client.name: _render_client(client, bundle, root) for client, bundle in clients}


def _render_client(client: ClientSpec, bundle: Bundle, root: Path) -> RenderedWorker:
    """Render a client's code, with a first line that changes with its class migrations.

    A change of the class migrations uploads the script without secrets and Workflows, so it must
    also change the script that is deployed after it. The service has the same line.
    """
    head = ""
    if client.class_migrations:
        head = f"// class migrations up to {json.dumps(client.class_migrations[-1].tag)}\n"
    modules = list(bundle.modules)
    if bundle.source_map:
        modules.append(_make_source_map(bundle.source_map, lines_before=head.count("\n")))
    rendered = _make_worker(client.script_name, head + bundle.content, bundle.exports)
    assets = read_assets(client.assets, client.name, root) if client.assets else None
    return replace(rendered, modules=tuple(modules), assets=assets)


def _make_source_map(text: str, *, lines_before: int) -> CodeModule:
    """Make the source map's part of an upload, named as the bundle's last line names it.

    Args:
        lines_before: the number of lines before the bundle.
    """
    found = parse_json(text)
    found |= {"file": MAIN_MODULE, "mappings": ";" * lines_before + found["mappings"]}
    content = json.dumps(found, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    return CodeModule(f"{MAIN_MODULE}.map", SOURCE_MAP, base64.b64encode(content).decode())


def make_service_source() -> BundleSource:
    """Return the runtime library's own source, from which the service is bundled."""
    return BundleSource(
        SERVICE_SPECIFIER, library.folder("worker_src"), (RPC_CLASS, TRACKER_CLASS, _FACTORY)
    )


def read_bundle(path: Path) -> Bundle:
    """Read a bundle that the package contains."""
    content = read_text(path)
    return Bundle(content, tuple(sorted(_split(content)[1])))


def render_service(spec: ServiceSpec, bundle: Bundle, *, root: Path) -> RenderedWorker:
    """Render the service: its bundle, and around it the code with the stack's options.

    The first line contains the last class migration's tag: a change of the class migrations, which
    uploads the script, must also change the script that is deployed after it.

    Args:
        root: the project's folder, for its own templates.

    Raises:
        RenderError: the template is invalid, or the bundle does not export what it needs.
    """
    code, exports = _split(bundle.content)
    lacking = {_FACTORY, RPC_CLASS, TRACKER_CLASS} - set(exports)
    if lacking:
        raise RenderError(f"the service's bundle does not export {', '.join(sorted(lacking))}")
    context = {
        "bundle": JavaScript(code),
        "exports": {name: JavaScript(local) for name, local in exports.items()},
        "options": _make_options(spec),
        "class_migration_tag": spec.class_migrations[-1].tag,
    }
    content = render(_TEMPLATE, context, root=root)
    return _make_worker(spec.script_name, content, ("default", RPC_CLASS, TRACKER_CLASS))


def _make_options(spec: ServiceSpec) -> dict[str, object]:
    """Return the options for `createWorkflowService`; the runtime has defaults for the others."""
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
    "A Durable Object class must also be exported (`export class Cart extends DurableObject {}`) "
    "until a step of `classMigrations` deletes it, or another client takes it over."
)


def _list_missing(client: ClientSpec, bundle: Bundle, neighbours: ClassNeighbours) -> Sequence[str]:
    """List the exports that the source lacks; Cloudflare would answer 10061 and 10064."""
    wanted = (
        {"default": "its handlers, `export default`"}
        | _list_classes(client, neighbours)
        | {
            spec.class_name: f"the class `{spec.class_name}` of its Workflow `{spec.name}`"
            for spec in client.workflows
        }
    )
    exported = ", ".join(bundle.exports) or "nothing"
    return [
        f"{client.source}: client `{client.name}` does not export {what}; it exports {exported}"
        for name, what in wanted.items()
        if name not in bundle.exports
    ]


def _list_classes(client: ClientSpec, neighbours: ClassNeighbours) -> dict[str, str]:
    """List the Durable Object classes that a client must export, with a description of each."""
    found = {}
    for name in list_classes_after(client.class_migrations):
        if name in neighbours.taken:
            continue
        found[name] = f"the Durable Object class `{name}` of its classMigrations"
        if name in neighbours.begun:
            found[name] += (
                f" (the script {neighbours.begun[name]} begins one of that name: to take the "
                "objects along, it needs transferredClasses instead)"
            )
    return found | {
        spec.class_name: f"the class `{spec.class_name}` of its Durable Object `{spec.binding}`"
        for spec in client.durable_objects
    }


def _split(content: str) -> tuple[str, dict[str, str]]:
    """Split the code at its export clause, and map each export to its local name."""
    clause = _EXPORT_CLAUSE.search(content)
    if clause is None:
        raise RenderError("the service's bundle does not end with an export clause")
    exports = {}
    for item in clause.group(1).split(","):
        local, _, exported = item.strip().partition(" as ")
        if local:
            exports[exported or local] = local
    return content[: clause.start()], exports


def _make_worker(script_name: str, content: str, exports: Sequence[str]) -> RenderedWorker:
    return RenderedWorker(
        script_name=script_name,
        main_module=MAIN_MODULE,
        content=content,
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
        exports=tuple(exports),
    )
