"""The whole of a stack as one component, from Pulumi's configuration to its outputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi

from flowflare import library
from flowflare.migrations.files import Migration, read_migrations
from flowflare.model.bindings import scripts_bound
from flowflare.model.class_neighbours import neighbours_of, transfer_order
from flowflare.model.client import ClientSpec
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.render.worker import RenderedStack, render_stack
from flowflare.resources.client import FlowflareClient
from flowflare.resources.project import (
    as_run_error,
    client_migrations,
    project_root,
    spec_from_config,
)
from flowflare.resources.protection import check_data_loss
from flowflare.resources.script import declare_addresses
from flowflare.resources.service import FlowflareService


class FlowflareStack(pulumi.ComponentResource):
    """A service with its clients.

    Args:
        name: the component's name, the first part of every name in it.
        spec: what the stack is.
        rendered: the Workers' code.
        root: the project's folder, which clients' migrations are relative to; found when left out.
        opts: Pulumi's options.

    Attributes:
        service: the tracking service: `url`, `script_name`, `database_id`, `api_key` (a secret).
        clients: the clients by their names in the configuration, each with its `url`.
        client_urls: URL by client name, of the clients that have one.
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
        child, folder = pulumi.ResourceOptions(parent=self), root or project_root()
        with as_run_error():
            migrations = read_migrations(library.folder("migrations"))
            files = {client.name: client_migrations(client, folder) for client in spec.clients}
        self.service = FlowflareService(
            f"{name}-service",
            spec=spec,
            rendered=rendered.service,
            migrations=migrations,
            opts=child,
        )
        self.clients = self._declare_clients(name, spec, rendered, files)
        self.service.serve(list(self.clients.values()), has_addresses=False)
        self._declare_addresses(name, spec)
        urls = {one.name: self.clients[one.name].url for one in spec.clients if one.workers_dev}
        # Of nothing `all` makes a list.
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
        """Declares the clients in the order that Durable Object classes and bindings need.

        First the clients that have no classes and are bound to no other client: a deletion, which
        cannot be undone, comes after them. Then all class migrations, those of who takes a class
        over before those of who had it. Then the scripts that may be bound to the classes.
        """
        histories = spec.class_histories()
        bound = {client.script_name: scripts_bound(client) for client in spec.clients}
        by_script = {client.script_name: client for client in spec.clients}
        free = [
            one
            for one in spec.clients
            if not one.class_migrations and not bound[one.script_name] & histories.keys()
        ]
        begun = [by_script[one] for one in transfer_order(histories) if one in by_script]
        order = [by_script[one] for one in transfer_order(histories, bound) if one in by_script]
        declared: dict[str, FlowflareClient] = {}
        for client in (*free, *(one for one in begun if one not in free)):
            neighbours = neighbours_of(client.script_name, histories)
            after: list[pulumi.Resource] = [
                taker.class_migrations
                for taker in (declared.get(one) for one in sorted(set(neighbours.taken.values())))
                if taker is not None and taker.class_migrations is not None
            ]
            if any(step.deleted_classes for step in client.class_migrations):
                after += [declared[one.script_name].script for one in free]
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
        classes = [one.class_migrations for one in declared.values() if one.class_migrations]
        deployed = [declared[one.script_name] for one in free]
        for client in (one for one in order if one not in free):
            others = [one for one in deployed if one.spec.script_name in bound[client.script_name]]
            targets = [part for one in others for part in (one.script, *one.workflows)]
            declared[client.script_name].deploy([*classes, *targets])
            deployed.append(declared[client.script_name])
        return {client.name: declared[client.script_name] for client in spec.clients}

    def _declare_addresses(self, name: str, spec: StackSpec) -> None:
        """Declares all routes and custom domains as the stack's own parts.

        One that another Worker of the stack takes over is then the same resource, which changes;
        as a part of the Worker it would be made while Cloudflare still has it for the other one.
        """
        workers: list[tuple[pulumi.Resource, ServiceSpec | ClientSpec]] = [
            (self.service.script, spec.service)
        ]
        workers += [(self.clients[client.name].script, client) for client in spec.clients]
        for script, worker in workers:
            declare_addresses(
                name, account_id=spec.account_id, script=script, spec=worker, parent=self
            )

    @classmethod
    def from_config(
        cls, name: str = "flowflare", opts: pulumi.ResourceOptions | None = None
    ) -> "FlowflareStack":
        """Reads the program's configuration, renders the Workers, declares the stack.

        Args:
            name: the component's name.
            opts: Pulumi's options.

        Raises:
            pulumi.RunError: the configuration or a source is wrong; its cause is the
                `FlowflareError` that says what.
        """
        root = project_root()
        with as_run_error():
            spec = spec_from_config(root)
            check_data_loss(name, spec, root)
            rendered = render_stack(spec, root=root)
        return cls(name, spec=spec, rendered=rendered, root=root, opts=opts)
