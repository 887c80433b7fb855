"""Declare a whole stack as one component, from Pulumi's configuration to its outputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi

from flowflare import library
from flowflare.kinds.bindings.workers import list_bound_scripts
from flowflare.migrations.files import Migration, read_migrations
from flowflare.model.class_neighbours import find_neighbours, sort_by_transfers
from flowflare.model.stack import StackSpec
from flowflare.render.worker import RenderedStack, render_stack
from flowflare.resources.client import FlowflareClient
from flowflare.resources.project import (
    as_run_error,
    find_project_root,
    read_client_migrations,
    read_spec,
)
from flowflare.resources.protection import check_data_loss
from flowflare.resources.service import FlowflareService


class FlowflareStack(pulumi.ComponentResource):
    """A service with its clients.

    Args:
        name: the component's name, which every name in it begins with.
        root: the project's folder, for clients' migrations; by default it is searched for.

    Attributes:
        service: the tracking service: `url`, `script_name`, `database_id`, `api_key` (a secret).
        clients: the clients by their names in the configuration, each with its `url`.
        client_urls: the URLs by client name, of the clients that have one.
    """

    def __init__(
        self,
        name: str,
        *,
        spec: StackSpec,
        rendered: RenderedStack,
        root: Path | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("flowflare:index:Stack", name, {}, opts)
        child, folder = pulumi.ResourceOptions(parent=self), root or find_project_root()
        with as_run_error():
            migrations = read_migrations(library.folder("migrations"))
            files = {client.name: read_client_migrations(client, folder) for client in spec.clients}
        self.service = FlowflareService(
            f"{name}-service",
            spec=spec,
            rendered=rendered.service,
            migrations=migrations,
            opts=child,
        )
        self.clients = self._declare_clients(name, spec, rendered, files)
        self.service.serve(list(self.clients.values()), has_addresses=False)
        self._declare_addresses(name)
        self._declare_consumers(name)
        urls = {
            client.name: self.clients[client.name].url
            for client in spec.clients
            if client.workers_dev
        }
        # `Output.all()` without arguments resolves to a list, not a mapping.
        self.client_urls: pulumi.Output[Mapping[str, str | None]] = (
            pulumi.Output.all(**urls) if urls else pulumi.Output.from_input({})
        )
        self.register_outputs({"service_url": self.service.url, "client_urls": self.client_urls})

    def _declare_clients(
        self,
        name: str,
        spec: StackSpec,
        rendered: RenderedStack,
        files: Mapping[str, Mapping[str, Sequence[Migration]]],
    ) -> Mapping[str, FlowflareClient]:
        """Declare the clients in the order that Durable Object classes and bindings need.

        Clients without classes that are not bound to a script with classes come first: they must
        succeed before a class is deleted, which cannot be undone. All class migrations follow: the
        script that receives a class before the script that gives it up. Scripts that may bind
        classes come last.
        """
        histories = spec.class_histories()
        bound = {client.script_name: list_bound_scripts(client) for client in spec.clients}
        by_script = {client.script_name: client for client in spec.clients}
        free = [
            client
            for client in spec.clients
            if not client.class_migrations and not bound[client.script_name] & histories.keys()
        ]
        begun = [
            by_script[script] for script in sort_by_transfers(histories) if script in by_script
        ]
        order = [
            by_script[script]
            for script in sort_by_transfers(histories, bound)
            if script in by_script
        ]
        declared: dict[str, FlowflareClient] = {}
        for client in (*free, *(client for client in begun if client not in free)):
            neighbours = find_neighbours(client.script_name, histories)
            after: list[pulumi.Resource] = [
                taker.class_migrations
                for taker in map(declared.get, sorted(set(neighbours.taken.values())))
                if taker is not None and taker.class_migrations is not None
            ]
            if any(step.deleted_classes for step in client.class_migrations):
                after += [declared[other.script_name].script for other in free]
            declared[client.script_name] = FlowflareClient(
                f"{name}-{client.name}",
                account_id=spec.account_id,
                spec=client,
                rendered=rendered.clients[client.name],
                service=self.service,
                migrations=files[client.name],
                is_protected=spec.is_protected,
                neighbours=neighbours,
                after=after,
                deploys=client in free,
                has_addresses=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
        classes = [part.class_migrations for part in declared.values() if part.class_migrations]
        deployed = [declared[client.script_name] for client in free]
        for client in (client for client in order if client not in free):
            names = bound[client.script_name]
            others = [other for other in deployed if other.spec.script_name in names]
            targets = [part for other in others for part in (other.script, *other.workflows)]
            declared[client.script_name].deploy([*classes, *targets])
            deployed.append(declared[client.script_name])
        return {client.name: declared[client.script_name] for client in spec.clients}

    def _declare_addresses(self, name: str) -> None:
        """Declare all routes and custom domains as parts of the stack itself.

        An address that moves to another Worker is then one resource, which is updated. If it were a
        part of a Worker, it would be created while the other Worker still has it.
        """
        for worker in (self.service, *self.clients.values()):
            worker.declare_addresses(name, self)

    def _declare_consumers(self, name: str) -> None:
        """Declare all queue consumers as the stack's own parts, for the same reason.

        A client may also consume a queue that another client's binding makes.
        """
        queues = {
            reference: queue
            for client in self.clients.values()
            for reference, queue in client.queues.items()
        }
        for client in self.clients.values():
            client.consume(name, queues, self)

    @classmethod
    def from_config(
        cls, name: str = "flowflare", opts: pulumi.ResourceOptions | None = None
    ) -> "FlowflareStack":
        """Read the program's configuration, render the Workers, and declare the stack.

        Raises:
            pulumi.RunError: the configuration or a source is invalid; the cause is a
            `FlowflareError` with the details.
        """
        root = find_project_root()
        with as_run_error():
            spec = read_spec(root)
            check_data_loss(name, spec, root)
            rendered = render_stack(spec, root=root)
        return cls(name, spec=spec, rendered=rendered, root=root, opts=opts)
