"""What a stack is: frozen values without behaviour, and the rules that need nothing but them."""

from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration
from flowflare.model.stack import ClientSpec, ServiceSpec, StackSpec, WorkflowSpec

__all__ = [
    "SERVICE_HISTORY",
    "ClassMigration",
    "ClientSpec",
    "ServiceSpec",
    "StackSpec",
    "WorkflowSpec",
]
