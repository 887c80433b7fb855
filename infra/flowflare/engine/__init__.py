"""The embedded engine: runs a Pulumi program against Pulumi's own state, without the CLI."""
