"""`flowflare env`: environments that expire, such as one for each pull request."""

from flowflare.cli.command_table import make_group

app = make_group(
    {
        "up": f"{__name__}.up:up",
        "list": f"{__name__}.list:list_",
        "sweep": f"{__name__}.sweep:sweep",
        "down": f"{__name__}.down:down",
    },
    "Ephemeral environments, which are removed when they expire.",
)
