"""`flowflare env up`: makes an ephemeral environment, or brings it up to date."""

from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowflare.cli.env.surroundings import NameArgument
from flowflare.cli.options import JsonOption, ProjectOption, project_root

if TYPE_CHECKING:
    from flowflare.fleet.environments.lifecycle import UpResult

TtlOption = Annotated[
    str, typer.Option("--ttl", metavar="TIME", help="How long it lives from now on: 30m, 48h, 7d.")
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="STACK",
        help="The stack whose configuration it has; dev, or local where there is no dev.",
        show_default=False,
    ),
]
SeedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--seed",
        metavar="[CLIENT/BINDING=]FILE",
        help="SQL for the service's database, or for one of a client's; run once. Repeatable.",
        show_default=False,
    ),
]


def up(
    name: NameArgument,
    ttl: TtlOption = "48h",
    base: FromOption = None,
    seed: SeedOption = None,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Make an environment with its own Workers and databases, or bring it up to date.

    Its configuration is another stack's, without routes, custom domains and names set by hand, and
    without protection. Run again it gets the configuration anew and the time from now on. When
    that is over, `flowflare env sweep` removes it, on any machine that shares the state backend.

    Examples:

      flowflare env up pr-123 --ttl 48h

      flowflare env up pr-123 --from dev --seed seeds/orders.sql
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.cli.env.surroundings import surroundings
    from flowflare.fleet.environments.lifecycle import bring_up
    from flowflare.fleet.environments.names import parse_ttl
    from flowflare.fleet.environments.seeding import read_seeds

    root = project_root(cwd)
    lives, seeds = parse_ttl(ttl), read_seeds(seed or (), root)
    messages().print(f"Updating environment {name}", markup=False)
    with surroundings(root, "Working") as where:
        opened = bring_up(name, where, ttl=lives, base=base, seeds=seeds)
    if json:
        print_json(_document(opened))
    else:
        _show(opened)


def _document(opened: "UpResult") -> dict[str, Any]:
    from flowflare.cli.env.surroundings import document

    update = opened.update
    return {
        **document(opened.record),
        "new": opened.is_new,
        "changed": update.changed,
        "seconds": round(update.seconds, 3),
        "outputs": dict(update.outputs),
        "seeds": [
            {"file": one.seed.file, "database": one.seed.database, "ran": one.ran}
            for one in opened.seeded
        ],
    }


def _show(opened: "UpResult") -> None:
    from flowflare.cli.console import answers, messages
    from flowflare.cli.env.surroundings import shown_time

    console, record, update = answers(), opened.record, opened.update
    did = "is up" if opened.is_new else "is up to date"
    made = f"{update.changed} changes in {update.seconds:.1f} s" if update.changed else "no change"
    console.print(f"\nEnvironment {record.name} {did}: {made}.", markup=False)
    for one in opened.seeded:
        if one.changed:
            text = f"{one.seed.file} has changed since it was run, and is not run again"
            messages().print(f"  warning: {text}", markup=False)
        elif one.ran:
            console.print(f"  seeded {one.seed.database} with {one.seed.file}", markup=False)
    urls = [("service", update.outputs.get("service_url"))]
    urls += sorted((update.outputs.get("client_urls") or {}).items())
    for what, url in urls:
        if url:
            console.print(f"  {what:<36} {url}", markup=False)
    console.print(
        f"\nIt may be removed from {shown_time(record.expires)} on."
        f"\nNext:  flowflare outputs -s {quote(record.stack)}",
        markup=False,
    )
