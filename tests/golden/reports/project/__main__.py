"""The Pulumi program: declares the stack that the configuration describes."""

from flowflare.resources import FlowflareStack

FlowflareStack.from_config()
