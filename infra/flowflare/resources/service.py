"""The tracking service as a component: database, migrations, key, class migrations, script.

It is declared in two parts. The constructor declares what clients need; `serve` declares the
script itself, which binds the clients' Workflows and so comes after them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pulumi

from flowflare.kinds.api_key.declare import ApiKey
from flowflare.kinds.bindings.arguments import make_script_bindings, make_upload_bindings
from flowflare.kinds.bindings.binding import BindingValues
from flowflare.kinds.bindings.workers import list_service_bindings, list_storage_bindings
from flowflare.kinds.d1_database.declare import declare_database
from flowflare.kinds.d1_migrations.declare import D1Migrations
from flowflare.kinds.durable_object_migrations.declare import DurableObjectMigrations
from flowflare.kinds.workers_script.declare import declare_script
from flowflare.migrations.files import Migration
from flowflare.model.bindings import DATABASE_BINDING
from flowflare.model.class_neighbours import find_neighbours
from flowflare.model.client import DatabaseSpec
from flowflare.model.stack import StackSpec
from flowflare.render.worker import RenderedWorker
from flowflare.resources.worker import WorkerComponent

if TYPE_CHECKING:
    from flowflare.resources.client import FlowflareClient


class FlowflareService(WorkerComponent):
    """The service that tracks a stack's Workflows.

    Args:
        name: the component's name; its parts are named `<name>-database` and so on.
        migrations: the database's files, in order.

    Attributes:
        api_key: the key that callers send, a secret: the generation in use.
        url: the service's URL; None if it has none; set by `serve`.
        class_migrations: what a client must depend on.
        script: its script; set by `serve`.
    """

    script_name: str
    database_id: pulumi.Output[str]
    api_key: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        spec: StackSpec,
        rendered: RenderedWorker,
        migrations: Sequence[Migration],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            "flowflare:index:Service",
            name,
            account_id=spec.account_id,
            worker=spec.service,
            rendered=rendered,
            is_protected=spec.is_protected,
            opts=opts,
        )
        self._spec = spec
        self.script_name = spec.service.script_name
        self._database = declare_database(
            f"{name}-database",
            spec.account_id,
            DatabaseSpec(binding=DATABASE_BINDING, database_name=spec.service.database_name),
            self._options(protected=f"{name}-database"),
        )
        self.database_id = self._database.id
        self._migrations = D1Migrations(
            f"{name}-migrations",
            account_id=spec.account_id,
            database_id=self.database_id,
            migrations=migrations,
            opts=self._options(self._database),
        )
        # Generation 1 keeps the name from the time before there were generations.
        keys = {
            generation: ApiKey(
                f"{name}-api-key" if generation == 1 else f"{name}-api-key-{generation}",
                environment_name=spec.environment_name,
                opts=self._options(self._migrations),
            )
            for generation in sorted(spec.service.api_keys)
        }
        self.api_key = pulumi.Output.secret(keys[spec.service.api_key_in_use].api_key)
        self._api_keys: dict[int | None, pulumi.Output[str]] = {None: self.api_key}
        for generation, key in keys.items():
            self._api_keys[generation] = pulumi.Output.secret(key.api_key)
        self.class_migrations = self._declare_class_migrations(*keys.values())

    def serve(self, clients: Sequence["FlowflareClient"], *, has_addresses: bool = True) -> None:
        """Declare the service's script with the clients' Workflows, its subdomain and its URL.

        Args:
            clients: every client whose Workflows the service starts; empty for none.
            has_addresses: whether to declare its routes and custom domains too.
        """
        name, spec = f"{self._name}-script", self._spec
        bindings = make_script_bindings(
            list_service_bindings([client.spec for client in clients], spec.service.other_keys),
            BindingValues({DATABASE_BINDING: self.database_id}, self._api_keys),
        )
        before: list[pulumi.Resource] = [
            workflow for client in clients for workflow in client.workflows
        ]
        tails = spec.service.tail_consumers
        before += [client.script for client in clients if client.spec.script_name in tails]
        self.script = declare_script(
            name,
            upload=self._upload,
            spec=spec.service,
            bindings=bindings,
            opts=self._options(self.class_migrations, *before, protected=name),
        )
        self.url = self._declare_url()
        self._declare_crons()
        if has_addresses:
            self.declare_addresses(self._name, self)
        self.register_outputs(
            {
                "url": self.url,
                "script_name": self.script_name,
                "database_id": self.database_id,
                "api_key": self.api_key,
            }
        )

    def _declare_class_migrations(self, *keys: ApiKey) -> DurableObjectMigrations:
        name, spec = f"{self._name}-class-migrations", self._spec
        return DurableObjectMigrations(
            name,
            upload=self._upload,
            allow_data_loss=spec.reason_for_loss(name),
            neighbours=find_neighbours(self.script_name, spec.class_histories()),
            database_id=self.database_id,
            bindings=make_upload_bindings(
                list_storage_bindings(), BindingValues({DATABASE_BINDING: self.database_id})
            ),
            history=spec.service.class_migrations,
            opts=self._options(*keys, protected=name),
        )
