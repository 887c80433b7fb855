"""The keys of a Workflow in the configuration."""

from pydantic import Field

from flowflare.model.written import ClassName, Written


class WorkflowConfig(Written):
    """One Workflow of a client."""

    class_name: ClassName = Field(
        description="The Workflow class that the client's source exports."
    )
