"""The tracking service as a component: database, migrations, key, class migrations, script.

It is declared in two parts. The constructor declares what clients need; `serve` declares the
script itself, which binds the clients' Workflows and so comes after them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pulumi

from flowflare.kinds import cloudflare
from flowflare.migrations.files import Migration
from flowflare.model.bindings import DATABASE_BINDING, list_service_bindings, list_storage_bindings
from flowflare.model.class_neighbours import find_neighbours
from flowflare.model.stack import StackSpec
from flowflare.render.worker import RenderedWorker
from flowflare.resources.bindings import BindingValues, make_script_bindings, make_upload_bindings
from flowflare.resources.database import declare_database
from flowflare.resources.dynamic import ApiKey, D1Migrations, DurableObjectMigrations
from flowflare.resources.script import (
    declare_addresses,
    declare_crons,
    declare_script,
    declare_url,
)

if TYPE_CHECKING:
    from flowflare.resources.client import FlowflareClient


class FlowflareService(pulumi.ComponentResource):
    """The service that tracks a stack's Workflows.

    Args:
        name: the component's name; its parts are named `<name>-database` and so on.
        spec: the stack.
        rendered: the service's code.
        migrations: the database's files, in order.
        opts: Pulumi's options.

    Attributes:
        script_name: the service's name in the account.
        database_id: the ID of the D1 database.
        api_key: the key that callers send, a secret; of all accepted generations the one in use.
        url: the service's URL; None if it has none; set by `serve`.
        class_migrations: what a client must depend on.
        script: its script; set by `serve`.
    """

    script: cloudflare.WorkersScript

    script_name: str
    database_id: pulumi.Output[str]
    api_key: pulumi.Output[str]
    url: pulumi.Output[str | None]

    def __init__(
        self,
        name: str,
        *,
        spec: StackSpec,
        rendered: RenderedWorker,
        migrations: Sequence[Migration],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("flowflare:index:Service", name, {}, opts)
        self._name, self._spec, self._rendered = name, spec, rendered
        self.script_name = spec.service.script_name
        self._database = declare_database(
            f"{name}-database",
            account_id=spec.account_id,
            database_name=spec.service.database_name,
            opts=self._options(protected=f"{name}-database"),
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
        self._api_keys: dict[int | None, pulumi.Output[str]] = {
            generation: key.api_key for generation, key in keys.items()
        } | {None: self.api_key}
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
        script = self.script = declare_script(
            name,
            account_id=spec.account_id,
            spec=spec.service,
            rendered=self._rendered,
            bindings=bindings,
            opts=self._options(self.class_migrations, *before, protected=name),
        )
        self.url = declare_url(
            self._name, account_id=spec.account_id, script=script, spec=spec.service, parent=self
        )
        declare_crons(
            self._name, account_id=spec.account_id, script=script, spec=spec.service, parent=self
        )
        if has_addresses:
            declare_addresses(
                self._name,
                account_id=spec.account_id,
                script=script,
                spec=spec.service,
                parent=self,
            )
        self.register_outputs(
            {
                "url": self.url,
                "script_name": self.script_name,
                "database_id": self.database_id,
                "api_key": self.api_key,
            }
        )

    def _declare_class_migrations(self, *keys: ApiKey) -> DurableObjectMigrations:
        name, spec, rendered = f"{self._name}-class-migrations", self._spec, self._rendered
        return DurableObjectMigrations(
            name,
            script={
                "account_id": spec.account_id,
                "script_name": self.script_name,
                "main_module": rendered.main_module,
                "content": rendered.content,
                "compatibility_date": spec.service.compatibility_date,
                "compatibility_flags": list(spec.service.compatibility_flags),
                "allow_data_loss": spec.reason_for_loss(name),
                **find_neighbours(self.script_name, spec.class_histories()).props(),
            },
            database_id=self.database_id,
            bindings=make_upload_bindings(
                list_storage_bindings(), BindingValues({DATABASE_BINDING: self.database_id})
            ),
            history=spec.service.class_migrations,
            opts=self._options(*keys, protected=name),
        )

    def _options(
        self, *depends_on: pulumi.Resource, protected: str | None = None
    ) -> pulumi.ResourceOptions:
        protect = protected is not None and self._spec.is_protected(protected)
        return pulumi.ResourceOptions(
            parent=self, depends_on=list(depends_on), protect=protect or None
        )
