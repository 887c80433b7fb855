"""`flowflare config`: show and set values of a stack's configuration."""

from flowflare.cli.command_table import make_group

app = make_group(
    {
        "set": f"{__name__}.set:set_",
        "get": f"{__name__}.get:get",
        "ls": f"{__name__}.ls:ls",
    },
    "Show and set values of a stack's configuration.",
)
