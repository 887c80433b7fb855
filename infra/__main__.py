"""The Pulumi program: declares the stack that the configuration describes."""

import pulumi

from flowflare.resources import FlowflareStack

stack = FlowflareStack.from_config()

pulumi.export("service_url", stack.service.url)
pulumi.export("service_script_name", stack.service.script_name)
pulumi.export("database_id", stack.service.database_id)
pulumi.export("api_key", stack.service.api_key)
pulumi.export("client_urls", stack.client_urls)
