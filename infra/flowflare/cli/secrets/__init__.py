"""`flowflare secrets`: show and set a stack's secrets, and rotate its API key."""

from flowflare.cli.command_table import make_group

app = make_group(
    __name__,
    {"set": "set_", "status": "status", "rotate": "rotate"},
    "Show where secrets come from, set them, and rotate the API key.",
)
