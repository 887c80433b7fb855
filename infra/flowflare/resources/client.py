"""A client Worker as a component: its script, its Workflows, its URL."""

from typing import Any

import pulumi

from flowflare.model import ClientSpec
from flowflare.model.bindings import client_bindings
from flowflare.render.worker import RenderedWorker
from flowflare.resources import cloudflare
from flowflare.resources.bindings import script_bindings
from flowflare.resources.script import declare_crons, declare_script, declare_url
from flowflare.resources.service import FlowflareService


class FlowflareClient(pulumi.ComponentResource):
    """A Worker that starts Workflows through the service.

    Args:
        name: the component's name; its parts are called `<name>-script` and so on.
        account_id: the account.
        spec: the client.
        rendered: its code.
        service: the service, whose class migrations it comes after.
        opts: Pulumi's options.

    Attributes:
        spec: the client.
        workflows: its Workflow resources; empty when it has none.
        url: its URL, None when it has none.
    """

    url: pulumi.Output[str | None]

    def __init__(
        self,
        name: str,
        *,
        account_id: str,
        spec: ClientSpec,
        rendered: RenderedWorker,
        service: FlowflareService,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("flowflare:index:Client", name, {}, opts)
        self.spec = spec
        bindings = script_bindings(
            client_bindings(spec, service.script_name),
            database_id=service.database_id,
            api_keys={None: service.api_key},
        )
        script = declare_script(
            f"{name}-script",
            account_id=account_id,
            spec=spec,
            rendered=rendered,
            bindings=bindings,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service.class_migrations]),
        )
        self.workflows: list[Any] = [
            cloudflare.Workflow(
                f"{name}-{workflow.name}",
                account_id=account_id,
                workflow_name=workflow.workflow_name,
                script_name=spec.script_name,
                class_name=workflow.class_name,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[script]),
            )
            for workflow in spec.workflows
        ]
        self.url = declare_url(name, account_id=account_id, script=script, spec=spec, parent=self)
        declare_crons(name, account_id=account_id, script=script, spec=spec, parent=self)
        self.register_outputs({"url": self.url, "script_name": spec.script_name})
