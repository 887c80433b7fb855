"""`flowflare fleet secrets`: rotate the API keys of an environment's tenants."""

from flowflare.cli.command_table import make_group

app = make_group(__name__, {"rotate": "rotate"}, "Rotate the API keys of all tenants.")
