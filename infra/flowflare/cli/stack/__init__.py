"""`flowflare stack`: remove a stack."""

from flowflare.cli.command_table import make_group

app = make_group(__name__, {"rm": "rm"}, "Remove a stack.")
