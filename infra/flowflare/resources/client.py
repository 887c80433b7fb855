"""A client Worker as a component: what it owns, its script, its Workflows, where it is reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from flowflare.config.problems import nearest
from flowflare.errors import FlowflareError
from flowflare.kinds import cloudflare
from flowflare.kinds.contract import load_declare
from flowflare.kinds.registry import find_kind
from flowflare.migrations.files import Migration
from flowflare.model.bindings import (
    BoundBinding,
    SecretBinding,
    client_bindings,
    first_bindings,
)
from flowflare.model.class_neighbours import ClassNeighbours
from flowflare.model.client import ClientSpec
from flowflare.model.names import hyphenated
from flowflare.model.secret_sources import SecretSource
from flowflare.render.worker import RenderedWorker, render_clients
from flowflare.resources.bindings import (
    Values,
    beyond_provider,
    script_bindings,
    upload_bindings,
)
from flowflare.resources.database import declare_database
from flowflare.resources.dynamic import (
    D1Migrations,
    DurableObjectMigrations,
    ScriptBindings,
)
from flowflare.resources.project import (
    as_run_error,
    client_migrations,
    project_root,
    spec_from_config,
)
from flowflare.resources.script import (
    declare_addresses,
    declare_crons,
    declare_script,
    declare_url,
)
from flowflare.resources.secrets import WorkerSecrets
from flowflare.resources.service import FlowflareService


@dataclass(frozen=True)
class ServiceReference:
    """A service that another program deployed, as its stack's outputs tell of it.

    Attributes:
        script_name: the output `service_script_name`.
        api_key: the output `api_key`, a secret.
    """

    script_name: pulumi.Input[str]
    api_key: pulumi.Input[str]


class FlowflareClient(pulumi.ComponentResource):
    """A Worker that starts Workflows through the service.

    Args:
        name: the component's name; its parts are called `<name>-script` and so on.
        account_id: the account.
        spec: the client.
        rendered: its code.
        service: the service, whose class migrations it comes after, or what another stack's
            outputs say of it.
        migrations: the files of its databases, by the name of the binding.
        is_protected: whether the resource of a name must not be deleted; all are by default.
        neighbours: the stack's other scripts, as far as Durable Object classes are concerned.
        after: what the client's script and class migrations come after.
        deploys: whether the script is declared at once; otherwise `deploy` does it.
        has_addresses: whether its routes and custom domains are declared with it; a stack declares
            them itself, so that one client can take them over from another.
        opts: Pulumi's options.

    Attributes:
        spec: the client.
        script: its script.
        workflows: its Workflow resources; empty when it has none.
        class_migrations: the history of its own classes, None when it has none.
        database_ids: id of each D1 database of its own, by the name of the binding.
        url: its URL, None when it has none.
    """

    script: cloudflare.WorkersScript
    url: pulumi.Output[str | None]

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
        super().__init__("flowflare:index:Client", name, {}, opts)
        self.spec, self._rendered, self._has_addresses = spec, rendered, has_addresses
        self._name, self._account_id, self._is_protected = name, account_id, is_protected
        self._upload = {
            "account_id": account_id,
            "script_name": spec.script_name,
            "main_module": rendered.main_module,
            "content": rendered.content,
            "compatibility_date": spec.compatibility_date,
            "compatibility_flags": list(spec.compatibility_flags),
        }
        before: list[pulumi.Resource] = list(after)
        if isinstance(service, FlowflareService):
            before.append(service.class_migrations)
        self.database_ids, filled = self._declare_databases(migrations or {})
        before += filled
        own = self._declare_own()
        before += own.values()
        self._bindings = client_bindings(spec, "")
        self._values = Values(
            databases=self.database_ids,
            api_keys={None: service.api_key},
            secrets=self._declare_secrets(self._bindings),
            service=service.script_name,
            own={binding: resource.id for binding, resource in own.items()},
        )
        self.class_migrations = self._declare_class_migrations(self._values, before, neighbours)
        before += [self.class_migrations] if self.class_migrations else []
        self._before = before
        if deploys:
            self.deploy()

    def deploy(self, after: Sequence[pulumi.Resource] = ()) -> None:
        """Declares the script with its Workflows, its URL and addresses.

        Args:
            after: what it comes after besides the client's own parts.
        """
        name, account_id, spec = self._name, self._account_id, self.spec
        bindings, values, before = self._bindings, self._values, [*self._before, *after]
        beyond = beyond_provider(bindings)
        if beyond:
            own = ScriptBindings(
                f"{name}-bindings",
                script=self._upload,
                bindings=upload_bindings(beyond, values),
                opts=self._options(before),
            )
            before.append(own)
        script_name = f"{name}-script"
        script = self.script = declare_script(
            script_name,
            account_id=account_id,
            spec=spec,
            rendered=self._rendered,
            bindings=script_bindings(bindings, values),
            opts=self._options(before, protected=script_name if spec.class_migrations else None),
        )
        self.workflows: list[cloudflare.Workflow] = [
            cloudflare.Workflow(
                f"{name}-{workflow.name}",
                account_id=account_id,
                workflow_name=workflow.workflow_name,
                script_name=spec.script_name,
                class_name=workflow.class_name,
                opts=self._options([script]),
            )
            for workflow in spec.workflows
        ]
        self.url = declare_url(name, account_id=account_id, script=script, spec=spec, parent=self)
        declare_crons(name, account_id=account_id, script=script, spec=spec, parent=self)
        if self._has_addresses:
            declare_addresses(name, account_id=account_id, script=script, spec=spec, parent=self)
        self.register_outputs({"url": self.url, "script_name": spec.script_name})

    @classmethod
    def from_config(
        cls,
        client: str,
        *,
        service: FlowflareService | ServiceReference,
        name: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "FlowflareClient":
        """Declares a client of the running program's configuration, rendered from its source.

        Args:
            client: its name below `flowflare:clients`.
            service: the service, or what another stack's outputs say of it.
            name: the component's name, `flowflare-<client>` when left out.
            opts: Pulumi's options.

        Raises:
            pulumi.RunError: the configuration or the source is wrong, or there is no such client.
        """
        root = project_root()
        with as_run_error():
            stack = spec_from_config(root)
            spec = next((one for one in stack.clients if one.name == client), None)
            if spec is None:
                known = nearest(client, [one.name for one in stack.clients], "Clients")
                message = f"there is no client {client!r} in `flowflare:clients`"
                raise FlowflareError(message, remedy=known)
            rendered = render_clients([spec], root=root)[client]
            migrations = client_migrations(spec, root)
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
        """The client's own databases with their tables; also returns what comes after them."""
        ids: dict[str, pulumi.Output[str]] = {}
        last: list[pulumi.Resource] = []
        for database in self.spec.databases:
            part = f"{self._name}-{hyphenated(database.binding)}"
            resource = declare_database(
                f"{part}-database",
                account_id=self._account_id,
                database_name=database.database_name,
                location_hint=database.location_hint,
                jurisdiction=database.jurisdiction,
                opts=self._options(protected=f"{part}-database"),
            )
            ids[database.binding] = resource.id
            files = migrations.get(database.binding, ())
            if database.migrations is None:
                last.append(resource)
                continue
            tables = D1Migrations(
                f"{part}-migrations",
                account_id=self._account_id,
                database_id=resource.id,
                migrations=files,
                opts=self._options([resource]),
            )
            last.append(tables)
        return ids, last

    def _declare_own(self) -> Mapping[str, pulumi.CustomResource]:
        """The resources that bindings make, by the name of the binding."""
        declared = {}
        for own in self.spec.own:
            kind, name = find_kind(own.type), f"{self._name}-{own.part}"
            assert kind is not None
            options = self._options(protected=name if kind.holds_data else None)
            declared[own.binding] = load_declare(kind)(name, own, self._account_id, options)
        return declared

    def _declare_secrets(self, bindings: Sequence[object]) -> Mapping[str, pulumi.Output[str]]:
        """The client's secrets, those in fields of its bindings among them."""
        sources: dict[str, SecretSource] = {}
        for binding in bindings:
            if isinstance(binding, SecretBinding):
                sources[binding.name] = binding.source
            if isinstance(binding, BoundBinding):
                sources |= {
                    f"{binding.name}.{field}": source for field, source in binding.secrets.items()
                }
        secrets = WorkerSecrets(self._name, parent=self)
        return {name: secrets.declare(name, source) for name, source in sources.items()}

    def _declare_class_migrations(
        self,
        values: Values,
        before: Sequence[pulumi.Resource],
        neighbours: ClassNeighbours | None,
    ) -> DurableObjectMigrations | None:
        """The history of the client's own classes; its first upload binds storage and service."""
        if not self.spec.class_migrations:
            return None
        name = f"{self._name}-class-migrations"
        return DurableObjectMigrations(
            name,
            script={
                **self._upload,
                **(neighbours or ClassNeighbours()).props(),
                "allow_data_loss": self._reason_for_loss(name),
            },
            database_id=next(iter(values.databases.values()), ""),
            bindings=upload_bindings(first_bindings(self.spec), values),
            history=self.spec.class_migrations,
            opts=self._options(before, protected=name),
        )

    def _reason_for_loss(self, resource: str) -> str | None:
        return None if self._is_protected(resource) else "its protection is lifted"

    def _options(
        self, depends_on: Sequence[pulumi.Resource] = (), protected: str | None = None
    ) -> pulumi.ResourceOptions:
        protect = protected is not None and self._is_protected(protected)
        return pulumi.ResourceOptions(
            parent=self, depends_on=list(depends_on), protect=protect or None
        )
