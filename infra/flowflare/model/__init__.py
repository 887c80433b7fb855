"""What a stack is: frozen values without behaviour, and the rules that need nothing but them."""

from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration
from flowflare.model.client import (
    BoundSpec,
    ClientSpec,
    DatabaseSpec,
    DurableObjectSpec,
    OwnSpec,
    WorkflowSpec,
)
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.model.worker import DomainSpec, ObservabilitySpec, RouteSpec, WorkerSpec

__all__ = [
    "SERVICE_HISTORY",
    "BoundSpec",
    "ClassMigration",
    "ClientSpec",
    "DatabaseSpec",
    "DomainSpec",
    "DurableObjectSpec",
    "ObservabilitySpec",
    "OwnSpec",
    "RouteSpec",
    "ServiceSpec",
    "StackSpec",
    "WorkerSpec",
    "WorkflowSpec",
]
