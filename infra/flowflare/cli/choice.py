"""The options of `up` that choose resources: `--refresh`, `--target`, `--replace`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.choice import Choice

RefreshOption = Annotated[
    bool, typer.Option("--refresh", help="First compare state with the account, to repair drift.")
]
TargetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        metavar="RESOURCE",
        help="Change only this resource: a name or URN; * is any text. May be repeated.",
        show_default=False,
    ),
]
ReplaceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--replace",
        metavar="RESOURCE",
        help="Replace this resource although it has not changed. May be repeated.",
        show_default=False,
    ),
]


def choose_resources(
    project: "Project",
    plan: Path | None,
    *,
    refresh: bool,
    targets: list[str] | None,
    replaced: list[str] | None,
) -> "Choice":
    """Return the resources that the options choose. Names are looked up in a plan first.

    Raises:
        EngineError: a name is not that of a resource.
    """
    from flowflare.cli.console import print_message
    from flowflare.cli.stacks import make_plan
    from flowflare.engine.choice import Choice, choose

    if plan is not None and (refresh or targets or replaced):
        raise typer.BadParameter("a saved --plan is applied as it is, without other resources")
    if not (targets or replaced):
        return Choice(refresh)
    steps = make_plan(project, print_message).steps
    return choose(steps, refresh=refresh, targets=targets or (), replaced=replaced or ())
