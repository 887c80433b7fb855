"""`flowflare config`: show and set values of a stack's configuration."""

from flowflare.cli.command_table import make_group

app = make_group(
    __name__,
    {"set": "set_", "get": "get", "ls": "ls"},
    "Show and set values of a stack's configuration.",
)
