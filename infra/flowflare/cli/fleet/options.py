"""The options that commands over many tenants share, and which tenants they mean."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from flowflare.fleet.tenants.selection import Selection

EnvironmentOption = Annotated[
    str,
    typer.Option(
        "--environment", "-e", metavar="NAME", help="The environment.", show_default=False
    ),
]
TenantsOption = Annotated[
    str | None,
    typer.Option(
        "--tenants", metavar="A,B", help="Only these tenants; else all.", show_default=False
    ),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="Only tenants with this tag; given more than once, with any of them.",
        show_default=False,
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Only the I-th of N parts, for a job on each of N machines.",
        show_default=False,
    ),
]
ChangedOption = Annotated[
    bool,
    typer.Option("--changed", help="Only tenants whose inputs are not those last applied."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        max=32,
        help="How many tenants at a time; by default what cores and memory allow, 8 at most.",
        show_default=False,
    ),
]
ExportsOption = Annotated[
    str,
    typer.Option(
        "--exports", metavar="DIR", help="Where databases are exported to, or an s3:// URL."
    ),
]
EXPORTS: Final = ".flowflare/exports"


def selection_of(
    tenants: str | None, tags: list[str] | None, shard: str | None, *, changed: bool = False
) -> "Selection":
    """Which tenants the options mean.

    Raises:
        FleetError: the shard is not of the form 3/8.
    """
    from flowflare.fleet.tenants.selection import Selection, parse_shard

    return Selection(
        tenants=names_of(tenants),
        tags=tuple(tags or ()),
        shard=parse_shard(shard) if shard else None,
        changed=changed,
    )


def names_of(text: str | None) -> tuple[str, ...]:
    """The names in `a,b`, each once."""
    names = (one.strip() for one in (text or "").split(","))
    return tuple(dict.fromkeys(one for one in names if one))
