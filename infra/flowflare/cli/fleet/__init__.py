"""`flowflare fleet`: commands over many stacks, one for each tenant and environment."""

from flowflare.cli.command_table import make_group

app = make_group(
    __name__,
    {
        **{name: name for name in ("config", "up", "destroy", "preview", "status", "drift")},
        "secrets": "app",
    },
    "Many tenants: the files of their stacks, previews, upgrades in waves, retirement.",
)
