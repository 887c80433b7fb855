"""Define the configuration's keys, as people write them below `flowflare:`.

One pydantic schema defines what each key takes. `make docs` generates the reference page and the
JSON Schema for editors from it. Pulumi passes flat strings; `config/load.py` parses them, checks
them against this schema, and turns the checked values into the model.
"""

from flowflare.config.schema.client import ClientConfig, DurableObjectConfig
from flowflare.config.schema.stack import NamesConfig, StackConfig
from flowflare.config.schema.worker import WorkerConfig
from flowflare.kinds.d1_database.settings import DatabaseConfig
from flowflare.kinds.durable_object_migrations.settings import (
    ClassMigrationConfig,
    RenamedClassConfig,
    TransferredClassConfig,
)
from flowflare.kinds.workers_custom_domain.settings import DomainConfig
from flowflare.kinds.workers_route.settings import RouteConfig
from flowflare.kinds.workers_script.settings import (
    LimitsConfig,
    LogsConfig,
    ObservabilityConfig,
    PlacementConfig,
    TailConsumerConfig,
    TracesConfig,
)
from flowflare.kinds.workflow.settings import WorkflowConfig
from flowflare.model.written import COMPATIBILITY_DATE, NAMESPACE, Written, refusal
from flowflare.model.written_secrets import SECRET_FORMS, SecretConfig

#: How often the service deletes expired runs: every ten minutes, a limited number each time.
RETENTION_CRON = "*/10 * * * *"

__all__ = [
    "COMPATIBILITY_DATE",
    "NAMESPACE",
    "RETENTION_CRON",
    "SECRET_FORMS",
    "ClassMigrationConfig",
    "ClientConfig",
    "DatabaseConfig",
    "DomainConfig",
    "DurableObjectConfig",
    "LimitsConfig",
    "LogsConfig",
    "NamesConfig",
    "ObservabilityConfig",
    "PlacementConfig",
    "RenamedClassConfig",
    "RouteConfig",
    "SecretConfig",
    "StackConfig",
    "TailConsumerConfig",
    "TracesConfig",
    "TransferredClassConfig",
    "WorkerConfig",
    "WorkflowConfig",
    "Written",
    "refusal",
]
