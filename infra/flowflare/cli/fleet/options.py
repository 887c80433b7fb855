"""The options that the fleet commands share, and the selection of tenants that they make."""

from typing import Annotated, Final

import typer

from flowflare.cli.completion import complete_environments, complete_tenants
from flowflare.fleet.tenants.selection import Selection, parse_shard

EnvironmentOption = Annotated[
    str,
    typer.Option(
        "--environment",
        "-e",
        metavar="NAME",
        help="The environment.",
        autocompletion=complete_environments,
    ),
]
TenantsOption = Annotated[
    str | None,
    typer.Option(
        "--tenants",
        metavar="A,B",
        help="Only these tenants; by default all.",
        autocompletion=complete_tenants,
    ),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="Only tenants with this tag; given several times, with any of these tags.",
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Only the I-th of N parts, to spread the work over N machines.",
    ),
]
ChangedOption = Annotated[
    bool,
    typer.Option(
        "--changed", help="Only tenants whose inputs have changed since they were last applied."
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        max=32,
        help="How many tenants at a time; by default as cores and memory allow, 8 at most.",
    ),
]
ExportsOption = Annotated[
    str,
    typer.Option(
        "--exports", metavar="DIR", help="The folder or s3:// URL to export databases to."
    ),
]
EXPORTS: Final = ".flowflare/exports"


def make_selection(
    tenants: str | None, tags: list[str] | None, shard: str | None, *, changed: bool = False
) -> Selection:
    """Make the selection of tenants from the options.

    Raises:
        FleetError: the shard is not of the form 3/8.
    """
    return Selection(
        tenants=parse_names(tenants),
        tags=tuple(tags or ()),
        shard=parse_shard(shard) if shard else None,
        changed=changed,
    )


def parse_names(text: str | None) -> tuple[str, ...]:
    """Split `a,b` into names, without duplicates."""
    names = (name.strip() for name in (text or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))
