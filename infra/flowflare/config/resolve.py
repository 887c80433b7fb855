"""Make a stack's model from its checked configuration: fill in names and defaults.

The configuration is already valid here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import SecretStr

from flowflare.config.queue_checks import refer_to_queue
from flowflare.config.schema import (
    RETENTION_CRON,
    ClassMigrationConfig,
    ClientConfig,
    DatabaseConfig,
    SecretConfig,
    StackConfig,
    WorkerConfig,
    Written,
)
from flowflare.config.schema.bindings import OwnForm
from flowflare.kinds import queue
from flowflare.kinds.bindings.secret_text import SecretTextBinding
from flowflare.kinds.queue_consumer.settings import QueueConsumerSettings
from flowflare.kinds.registry import list_own
from flowflare.kinds.script_assets.settings import AssetsConfig
from flowflare.model import names
from flowflare.model.class_migrations import ClassMigration, from_wire, make_service_history
from flowflare.model.client import (
    AssetsSpec,
    BoundSpec,
    ClientSpec,
    DatabaseSpec,
    DurableObjectSpec,
    OwnSpec,
    QueueConsumerSpec,
    WorkflowSpec,
)
from flowflare.model.code_module import ModuleRule
from flowflare.model.secret_sources import (
    AwsParameterSource,
    AwsSecretSource,
    ConfigSource,
    EnvironmentSource,
    FileSource,
    GeneratedSource,
    SecretSource,
)
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.model.worker import DomainSpec, RouteSpec
from flowflare.model.written_secrets import (
    AwsParameterSecret,
    AwsSecretsManagerSecret,
    EnvironmentSecret,
    FileSecret,
    GeneratedSecret,
    SecureSecret,
)

#: The settings of every Worker of a suspended stack. `crons` is an empty list, not None, so that
#: triggers that were set outside of the stack do not run either.
_SUSPENDED: Mapping[str, Any] = {"workers_dev": False, "routes": (), "domains": (), "crons": ()}


def resolve_stack(config: StackConfig, *, project: str, stack: str) -> StackSpec:
    """Build the model of a checked configuration.

    Args:
        stack: the Pulumi stack's name, which is the default environment.
    """
    environment = config.environment or stack
    clients = sorted(config.clients.items())
    return StackSpec(
        project=project,
        stack=stack,
        tenant=config.tenant,
        environment_name=environment,
        account_id=config.account_id,
        service=_service(config, environment),
        clients=tuple(_client(name, written, config, environment) for name, written in clients),
        suspended=config.suspended,
        protect=config.protect,
        allow_data_loss=config.allow_data_loss,
    )


def _service(config: StackConfig, environment: str) -> ServiceSpec:
    worker = _worker(config, suspended=config.suspended)
    if worker["crons"] is None and config.retention_days is not None:
        worker["crons"] = (RETENTION_CRON,)
    return ServiceSpec(
        script_name=config.names.service or _physical(config, environment, names.SERVICE),
        database_name=config.names.database or _physical(config, environment, names.DATABASE),
        allowed_origins=tuple(config.allowed_origins),
        debug=config.debug,
        retention_days=config.retention_days,
        stuck_after_minutes=config.stuck_after_minutes,
        class_migrations=make_service_history(config.tracker_tag),
        api_keys=tuple(config.api_keys),
        api_key_in_use=config.api_key_in_use,
        **worker,
    )


def _client(name: str, written: ClientConfig, config: StackConfig, environment: str) -> ClientSpec:
    workflows = tuple(
        WorkflowSpec(
            name=key,
            workflow_name=config.names.workflows.get(key) or _physical(config, environment, key),
            class_name=value.class_name,
            binding=names.make_binding_name(key),
        )
        for key, value in sorted(written.workflows.items())
    )
    databases = tuple(
        _database(
            binding, value, _physical(config, environment, names.make_database_part(name, binding))
        )
        for binding, value in sorted(written.databases.items())
    )
    # A `secret_text` binding is a secret in the API's notation.
    texts = {
        key: value.text
        for key, value in written.bindings.items()
        if isinstance(value, SecretTextBinding)
    }
    secrets = {**written.secrets, **texts}
    own = {key: value for key, value in written.bindings.items() if isinstance(value, OwnForm)}
    bindings = {key: value for key, value in written.bindings.items() if key not in {*texts, *own}}
    return ClientSpec(
        name=name,
        script_name=_script_name(name, config, environment),
        source=written.source,
        upload_source_maps=written.upload_source_maps,
        rules=tuple(ModuleRule(**rule.model_dump()) for rule in written.rules),
        workflows=workflows,
        variables=written.variables,
        secrets={key: _secret(value) for key, value in sorted(secrets.items())},
        bindings=tuple(_make_binding(key, value) for key, value in sorted(bindings.items())),
        own=tuple(
            _own(key, value, _physical(config, environment, names.make_database_part(name, key)))
            for key, value in sorted(own.items())
        ),
        queue_consumers=()
        if config.suspended
        else tuple(_consumer(each, name, config, environment) for each in written.queue_consumers),
        databases=databases,
        durable_objects=tuple(
            DurableObjectSpec(binding=key, class_name=value.class_name)
            for key, value in sorted(written.durable_objects.items())
        ),
        class_migrations=_class_migrations(
            written.class_migrations,
            {client: _script_name(client, config, environment) for client in config.clients},
        ),
        assets=_assets(written.assets) if written.assets else None,
        rpc=written.rpc,
        **_worker(written, suspended=config.suspended),
    )


def _script_name(client: str, config: StackConfig, environment: str) -> str:
    return config.names.clients.get(client) or _physical(config, environment, client)


def _physical(config: StackConfig, environment: str, what: str) -> str:
    return names.make_physical_name(config.tenant, environment, what)


def _worker(written: WorkerConfig, *, suspended: bool) -> dict[str, Any]:
    """Return the fields that the service and every client share."""
    fields = {
        "workers_dev": written.workers_dev,
        "routes": tuple(
            RouteSpec(pattern=route.pattern, zone_id=route.zone_id) for route in written.routes
        ),
        "domains": tuple(
            DomainSpec(hostname=domain.hostname, zone_id=domain.zone_id)
            for domain in written.domains
        ),
        "compatibility_date": written.compatibility_date,
        "compatibility_flags": tuple(written.compatibility_flags),
        "settings": written.to_wire(),
        "crons": None if written.crons is None else tuple(written.crons),
    }
    return {**fields, **_SUSPENDED} if suspended else fields


def _database(binding: str, written: DatabaseConfig, name: str) -> DatabaseSpec:
    return DatabaseSpec(
        binding=binding,
        database_name=written.name or name,
        migrations=written.migrations,
        migrations_pattern=written.migrations_pattern,
        migrations_table=written.migrations_table,
        location_hint=written.location_hint,
        jurisdiction=written.jurisdiction,
    )


def _assets(written: AssetsConfig) -> AssetsSpec:
    return AssetsSpec(
        directory=written.directory, binding=written.binding, config=written.to_wire()
    )


def _own(binding: str, written: OwnForm, name: str) -> OwnSpec:
    [field] = [field.alias for field in type(written).model_fields.values()]
    kind = list_own()[str(field)]
    assert kind.own is not None
    settings, secrets = _split_secrets(written.settings)
    return OwnSpec(
        binding=binding,
        type=kind.type,
        name=str(settings.pop("name", name)),
        settings=settings,
        secrets=secrets,
        bound_as=kind.own.bound_as,
    )


def _consumer(
    written: QueueConsumerSettings, client: str, config: StackConfig, environment: str
) -> QueueConsumerSpec:
    names_by_queue = _queue_names(config, environment)
    binding = refer_to_queue(written.queue, client) if written.queue else ""
    dead = written.dead_letter_queue
    dead_binding = refer_to_queue(dead, client) if dead else ""
    return QueueConsumerSpec(
        queue=binding,
        queue_name=names_by_queue.get(binding, ""),
        queue_id=written.queue_id,
        dead_letter_binding=dead_binding if dead_binding in names_by_queue else "",
        dead_letter_queue=names_by_queue.get(dead_binding, dead),
        settings=written.model_dump(
            by_alias=True, exclude_none=True, exclude={"queue", "queue_id", "dead_letter_queue"}
        ),
    )


def _queue_names(config: StackConfig, environment: str) -> Mapping[str, str]:
    """Return the names in the account of the queues that bindings make, by `client.BINDING`."""
    found = {}
    for client, fields in config.clients.items():
        for binding, written in fields.bindings.items():
            if isinstance(written, OwnForm):
                name = _physical(config, environment, names.make_database_part(client, binding))
                own = _own(binding, written, name)
                if own.type == queue.KIND.type:
                    found[f"{client}.{binding}"] = own.name
    return found


def _make_binding(name: str, written: Written) -> BoundSpec:
    fields, secrets = _split_secrets(written)
    return BoundSpec(name=name, type=fields.pop("type"), fields=fields, secrets=secrets)


def _split_secrets(written: Written) -> tuple[dict[str, Any], dict[str, SecretSource]]:
    """Return the fields that are not secret, and the sources of those that are, by path."""
    hidden, secrets = _find_secrets(written)
    return written.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude=hidden
    ), secrets


def _find_secrets(written: Written) -> tuple[dict[str, Any], dict[str, SecretSource]]:
    """Return the secret fields as pydantic excludes them, and their sources by path."""
    hidden: dict[str, Any] = {}
    secrets: dict[str, SecretSource] = {}
    for name, field in type(written).model_fields.items():
        key, value = field.alias or name, getattr(written, name)
        if isinstance(value, get_args(SecretConfig)):
            hidden[name], secrets[key] = True, _secret(value)
        elif isinstance(value, Written):
            hidden[name], inside = _find_secrets(value)
            secrets |= {f"{key}.{path}": source for path, source in inside.items()}
    return hidden, secrets


def _secret(written: SecretConfig) -> SecretSource:
    source: SecretSource
    match written:
        case SecureSecret():
            source = ConfigSource(value=SecretStr(written.secure))
        case EnvironmentSecret():
            source = EnvironmentSource(variable=written.environment)
        case FileSecret():
            source = FileSource(path=written.file)
        case AwsSecretsManagerSecret():
            source = AwsSecretSource(
                secret_id=written.aws_secrets_manager,
                key=written.key,
                version=written.version,
                region=written.region,
            )
        case AwsParameterSecret():
            source = AwsParameterSource(
                name=written.aws_parameter, version=written.version, region=written.region
            )
        case GeneratedSecret():
            generated = written.generated
            source = GeneratedSource(bytes=generated.bytes, generation=generated.generation)
    return source


def _class_migrations(
    written: Iterable[ClassMigrationConfig], scripts: Mapping[str, str]
) -> tuple[ClassMigration, ...]:
    """Build class migrations; `fromScript` may name a client instead of its script."""
    return from_wire(
        [
            {
                "tag": step.tag,
                "new_sqlite_classes": step.new_sqlite_classes,
                "renamed_classes": [
                    {"from": renamed.old, "to": renamed.new} for renamed in step.renamed_classes
                ],
                "deleted_classes": step.deleted_classes,
                "transferred_classes": [
                    {
                        "from": moved.old,
                        "from_script": scripts.get(moved.from_script, moved.from_script),
                        "to": moved.new,
                    }
                    for moved in step.transferred_classes
                ],
            }
            for step in written
        ]
    )
