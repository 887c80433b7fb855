"""Workflows."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.binding import Binding
from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import ClassName, ScriptName, WrittenAsInApi


class WorkflowTargetBinding(WrittenAsInApi):
    """A Workflow of another script; see `workflows` for the client's own."""

    type: Literal["workflow"] = Field(description="A Workflow.")
    workflow_name: Text = Field(description="The Workflow's name in the account.")
    class_name: ClassName | None = Field(default=None, description="Its class.")
    script_name: ScriptName | None = Field(default=None, description="The script that runs it.")


class WorkflowBinding(Binding):
    """A Workflow of the script itself or of another script."""

    workflow_name: str
    class_name: str
    script_name: str | None = None
    type: Literal["workflow"] = "workflow"


BINDING = BindingType(
    "workflow",
    WorkflowTargetBinding,
    wrangler=WranglerEntry("workflows", {"workflow_name": "name"}),
)
