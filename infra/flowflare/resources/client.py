"""A client Worker as a component: its own resources, script, Workflows and addresses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from flowflare.config.problems import nearest
from flowflare.errors import FlowflareError
from flowflare.kinds import queue
from flowflare.kinds.bindings.arguments import (
    list_unsupported,
    make_script_bindings,
    make_upload_bindings,
)
from flowflare.kinds.bindings.binding import BindingValues, BoundBinding
from flowflare.kinds.bindings.secret_text import SecretBinding
from flowflare.kinds.bindings.workers import list_client_bindings, list_first_bindings
from flowflare.kinds.contract import load_declare
from flowflare.kinds.d1_database.declare import declare_database
from flowflare.kinds.d1_migrations.declare import D1Migrations
from flowflare.kinds.durable_object_migrations.declare import DurableObjectMigrations
from flowflare.kinds.queue_consumer.declare import declare_consumers
from flowflare.kinds.registry import find_kind
from flowflare.kinds.script_assets.declare import ScriptAssets
from flowflare.kinds.script_bindings.declare import ScriptBindings
from flowflare.kinds.workers_script.declare import declare_script
from flowflare.kinds.workflow.declare import declare_workflow
from flowflare.migrations.files import Migration
from flowflare.model.class_neighbours import ClassNeighbours
from flowflare.model.client import ClientSpec
from flowflare.model.names import hyphenate
from flowflare.model.secret_sources import SecretSource
from flowflare.render.worker import RenderedWorker, render_clients
from flowflare.resources.project import (
    as_run_error,
    find_project_root,
    read_client_migrations,
    read_spec,
)
from flowflare.resources.secrets import WorkerSecrets
from flowflare.resources.service import FlowflareService
from flowflare.resources.worker import WorkerComponent


@dataclass(frozen=True)
class ServiceReference:
    """A service that another program deployed, from the outputs of its stack.

    Attributes:
        script_name: the output `service_script_name`.
        api_key: the output `api_key`, a secret.
    """

    script_name: pulumi.Input[str]
    api_key: pulumi.Input[str]


class FlowflareClient(WorkerComponent):
    """A Worker that starts Workflows, which the service tracks.

    Args:
        name: the component's name; its parts are named `<name>-script` and so on.
        service: the service, whose class migrations the client depends on, or a reference to a
            service of another stack.
        migrations: the files of the client's databases, by the binding's name.
        is_protected: whether the resource with a name must not be deleted; by default all are.
        neighbours: the stack's other scripts, as needed for Durable Object classes.
        after: what the client's script and class migrations depend on.
        deploys: whether to declare the script immediately; otherwise `deploy` declares it.
        has_addresses: whether to declare routes, custom domains and queue consumers too; a stack
            declares them itself, so that one client can take them over from another.

    Attributes:
        workflows: its Workflow resources; empty if it has none.
        class_migrations: its class migrations; None if it has no classes.
        database_ids: the ID of each of its D1 databases, by the binding's name.
        queues: the queues that its bindings make, by `<client>.<binding>`.
        url: its URL; None if it has none.
    """

    def __init__(  # noqa: PLR0913 -- what a client needs of its stack, in any program
        self,
        name: str,
        *,
        account_id: str,
        spec: ClientSpec,
        rendered: RenderedWorker,
        service: FlowflareService | ServiceReference,
        migrations: Mapping[str, Sequence[Migration]] | None = None,
        is_protected: Callable[[str], bool] = lambda _name: True,
        neighbours: ClassNeighbours | None = None,
        after: Sequence[pulumi.Resource] = (),
        deploys: bool = True,
        has_addresses: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            "flowflare:index:Client",
            name,
            account_id=account_id,
            worker=spec,
            rendered=rendered,
            is_protected=is_protected,
            opts=opts,
        )
        self.spec, self._has_addresses = spec, has_addresses
        self._assets = rendered.assets
        before: list[pulumi.Resource] = list(after)
        if isinstance(service, FlowflareService):
            before.append(service.class_migrations)
        self.database_ids, filled = self._declare_databases(migrations or {})
        before += filled
        self._secrets = WorkerSecrets(name, parent=self)
        own = self._declare_own()
        before += own.values()
        self.queues = {
            f"{spec.name}.{made.binding}": own[made.binding]
            for made in spec.own
            if made.type == queue.KIND.type
        }
        self._bindings = list_client_bindings(spec, "")
        self._values = BindingValues(
            databases=self.database_ids,
            api_keys={None: pulumi.Output.secret(service.api_key)},
            secrets=self._declare_secrets(),
            service=service.script_name,
            own={binding: resource.id for binding, resource in own.items()},
        )
        self.class_migrations = self._declare_class_migrations(before, neighbours)
        self._before = [*before, self.class_migrations] if self.class_migrations else before
        if deploys:
            self.deploy()

    def deploy(self, after: Sequence[pulumi.Resource] = ()) -> None:
        """Declare the script with its Workflows, its URL and addresses.

        Args:
            after: further dependencies, besides the client's own parts.
        """
        name, spec = self._name, self.spec
        before = [*self._before, *after]
        beyond = list_unsupported(self._bindings)
        if beyond:
            own = ScriptBindings(
                f"{name}-bindings",
                upload=self._upload,
                bindings=make_upload_bindings(beyond, self._values),
                opts=self._options(*before),
            )
            before.append(own)
        assets = self._declare_assets(before)
        script_name = f"{name}-script"
        script = self.script = declare_script(
            script_name,
            upload=self._upload,
            spec=spec,
            bindings=make_script_bindings(self._bindings, self._values),
            assets=assets,
            opts=self._options(*before, protected=script_name if spec.class_migrations else None),
        )
        self.workflows = [
            declare_workflow(
                f"{name}-{workflow.name}",
                self._account_id,
                workflow,
                spec.script_name,
                self._options(script),
            )
            for workflow in spec.workflows
        ]
        self.url = self._declare_url()
        self._declare_crons()
        if self._has_addresses:
            self.declare_addresses(name, self)
            self.consume(name, self.queues, self)
        self.register_outputs({"url": self.url, "script_name": spec.script_name})

    def _declare_assets(self, before: list[pulumi.Resource]) -> Mapping[str, Any] | None:
        """Declare the client's static assets, before its script; return how they are served."""
        if self.spec.assets is None or self._assets is None:
            return None
        config = {**self.spec.assets.config, **self._assets.rules}
        declared = ScriptAssets(
            f"{self._name}-assets",
            upload=self._upload,
            directory=self.spec.assets.directory,
            manifest=self._assets.manifest,
            config=config,
            root=find_project_root(),
            opts=self._options(*before),
        )
        before.append(declared)
        return config

    def consume(
        self, name: str, queues: Mapping[str, pulumi.CustomResource], parent: pulumi.Resource
    ) -> None:
        """Declare the consumers of the queues that the client consumes.

        Args:
            name: the first part of the resources' names.
            queues: the queues that bindings make, by `<client>.<binding>`.
        """
        declare_consumers(name, self._account_id, self.spec, self.script, queues, parent)

    @classmethod
    def from_config(
        cls,
        client: str,
        *,
        service: FlowflareService | ServiceReference,
        name: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "FlowflareClient":
        """Declare a client from the running program's configuration, rendered from its source.

        Args:
            client: the client's name below `flowflare:clients`.
            service: the service, or the outputs of another stack.
            name: the component's name, by default `flowflare-<client>`.

        Raises:
            pulumi.RunError: the configuration or the source is invalid, or the client does not
            exist.
        """
        root = find_project_root()
        with as_run_error():
            stack = read_spec(root)
            spec = next((each for each in stack.clients if each.name == client), None)
            if spec is None:
                known = nearest(client, [each.name for each in stack.clients], "Clients")
                message = f"`flowflare:clients` does not have a client {client!r}"
                raise FlowflareError(message, remedy=known)
            rendered = render_clients([spec], root=root)[client]
            migrations = read_client_migrations(spec, root)
        return cls(
            name or f"flowflare-{client}",
            account_id=stack.account_id,
            spec=spec,
            rendered=rendered,
            service=service,
            migrations=migrations,
            is_protected=stack.is_protected,
            opts=opts,
        )

    def _declare_databases(
        self, migrations: Mapping[str, Sequence[Migration]]
    ) -> tuple[Mapping[str, pulumi.Output[str]], list[pulumi.Resource]]:
        """Declare the client's databases with their tables; also return the last resources."""
        ids: dict[str, pulumi.Output[str]] = {}
        last: list[pulumi.Resource] = []
        for database in self.spec.databases:
            part = f"{self._name}-{hyphenate(database.binding)}"
            name = f"{part}-database"
            options = self._options(protected=name)
            resource = declare_database(name, self._account_id, database, options)
            ids[database.binding] = resource.id
            last.append(resource)
            if database.migrations is not None:
                last[-1] = D1Migrations(
                    f"{part}-migrations",
                    account_id=self._account_id,
                    database_id=resource.id,
                    migrations=migrations.get(database.binding, ()),
                    table=database.migrations_table,
                    opts=self._options(resource),
                )
        return ids, last

    def _declare_own(self) -> Mapping[str, pulumi.CustomResource]:
        """Declare the resources that bindings make, by the binding's name."""
        declared = {}
        for own in self.spec.own:
            kind, name = find_kind(own.type), f"{self._name}-{own.part}"
            assert kind is not None
            options = self._options(protected=name if kind.holds_data else None)
            secrets = {
                path: self._secrets.declare(f"{own.binding}.{path}", source)
                for path, source in own.secrets.items()
            }
            declared[own.binding] = load_declare(kind)(
                name, own, secrets, self._account_id, options
            )
        return declared

    def _declare_secrets(self) -> Mapping[str, pulumi.Output[str]]:
        """Declare the client's secrets, including those in fields of its bindings."""
        sources: dict[str, SecretSource] = {}
        for binding in self._bindings:
            if isinstance(binding, SecretBinding):
                sources[binding.name] = binding.source
            if isinstance(binding, BoundBinding):
                sources |= {
                    f"{binding.name}.{field}": source for field, source in binding.secrets.items()
                }
        return {name: self._secrets.declare(name, source) for name, source in sources.items()}

    def _declare_class_migrations(
        self, before: Sequence[pulumi.Resource], neighbours: ClassNeighbours | None
    ) -> DurableObjectMigrations | None:
        """Declare the class migrations; their first upload binds storage and service."""
        if not self.spec.class_migrations:
            return None
        name = f"{self._name}-class-migrations"
        return DurableObjectMigrations(
            name,
            upload=self._upload,
            allow_data_loss=None if self._is_protected(name) else "its protection is lifted",
            neighbours=neighbours or ClassNeighbours(),
            database_id=next(iter(self.database_ids.values()), ""),
            bindings=make_upload_bindings(list_first_bindings(self.spec), self._values),
            history=self.spec.class_migrations,
            opts=self._options(*before, protected=name),
        )
