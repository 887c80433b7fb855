"""Name the bindings that the stack itself needs, and the classes behind them."""

TRACKER_CLASS = "WorkflowTracker"
#: The entrypoint of the service for other Workers of the account.
RPC_CLASS = "FlowflareService"
DATABASE_BINDING = "DB"
TRACKER_BINDING = "WORKFLOW_TRACKER"
SERVICE_KEY_BINDING = "SERVICE_API_KEY"
SERVICE_BINDING = "WORKFLOW_SERVICE"
CLIENT_KEY_BINDING = "WORKFLOW_API_KEY"
RPC_BINDING = "WORKFLOW_SERVICE_RPC"

#: Binding names that a client's variables and Workflows cannot use.
CLIENT_RESERVED = frozenset({SERVICE_BINDING, TRACKER_BINDING, CLIENT_KEY_BINDING})
#: Binding names that a Workflow cannot use in the service.
SERVICE_RESERVED = frozenset({DATABASE_BINDING, TRACKER_BINDING, SERVICE_KEY_BINDING})


def is_reserved_in_service(name: str) -> bool:
    """Return whether the service itself uses the name, always or during key rotations."""
    return name in SERVICE_RESERVED or name.startswith(f"{SERVICE_KEY_BINDING}_")
