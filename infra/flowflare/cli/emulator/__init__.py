"""`flowflare emulator`: start, stop and show the embedded Cloudflare of a project."""

from flowflare.cli.command_table import make_group

app = make_group(
    __name__,
    {name: f"commands:{name}" for name in ("start", "stop", "status", "env", "logs")},
    "Start, stop and show the embedded Cloudflare.",
)
