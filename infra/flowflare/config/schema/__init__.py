"""The configuration's keys, as people write them below `flowflare:`.

One pydantic schema says what each key takes, prints the reference page and makes the JSON Schema
for editors (`config/reference.py`). Pulumi hands over flat strings; `config/load.py` turns them
into what this schema checks, and the checked values into the model.
"""

from flowflare.config.schema.bindings import BINDING_TYPES
from flowflare.config.schema.client import (
    ClassMigrationConfig,
    ClientConfig,
    DatabaseConfig,
    DurableObjectConfig,
    RenamedClassConfig,
    TransferredClassConfig,
    WorkflowConfig,
)
from flowflare.config.schema.secrets import SECRET_FORMS, SecretConfig
from flowflare.config.schema.stack import NamesConfig, StackConfig
from flowflare.config.schema.worker import (
    DomainConfig,
    LimitsConfig,
    LogsConfig,
    ObservabilityConfig,
    PlacementConfig,
    RouteConfig,
    TailConsumerConfig,
    TracesConfig,
    WorkerConfig,
)
from flowflare.model.written import COMPATIBILITY_DATE, NAMESPACE, Written, refusal

#: When the service deletes what its retention no longer keeps: every ten minutes, a bounded number.
RETENTION_CRON = "*/10 * * * *"

__all__ = [
    "BINDING_TYPES",
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
