"""`flowflare env`: environments that expire, such as one for each pull request."""

from flowflare.cli.command_table import make_group

app = make_group(
    __name__,
    {"up": "up", "list": "list_", "sweep": "sweep", "down": "down"},
    "Ephemeral environments, which are removed when they expire.",
)
