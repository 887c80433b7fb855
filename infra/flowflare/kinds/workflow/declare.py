"""Register a Workflow of a client."""

import pulumi

from flowflare.kinds.cloudflare import Workflow
from flowflare.model.client import WorkflowSpec


def declare_workflow(
    name: str,
    account_id: str,
    workflow: WorkflowSpec,
    script_name: str,
    opts: pulumi.ResourceOptions,
) -> Workflow:
    """Declare a `Workflow`."""
    return Workflow(
        name,
        account_id=account_id,
        workflow_name=workflow.workflow_name,
        script_name=script_name,
        class_name=workflow.class_name,
        opts=opts,
    )
