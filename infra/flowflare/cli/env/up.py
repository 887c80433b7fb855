"""`flowflare env up`: create an ephemeral environment, or update it."""

from shlex import quote
from typing import Annotated, Any

import typer

from flowflare.cli.console import open_stdout, print_json, print_message
from flowflare.cli.env.surroundings import (
    NameArgument,
    describe_environment,
    format_time,
    make_context,
)
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.fleet.environments.lifecycle import UpResult, bring_up
from flowflare.fleet.environments.names import parse_ttl
from flowflare.fleet.environments.seeding import read_seeds

TtlOption = Annotated[
    str, typer.Option("--ttl", metavar="TIME", help="How long it lives from now: 30m, 48h, 7d.")
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="STACK",
        help="The stack to copy the configuration from; dev, or local if there is no dev.",
    ),
]
SeedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--seed",
        metavar="[CLIENT/BINDING=]FILE",
        help="SQL for the service's database or a client's; run once. May be given several times.",
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
    """Create an environment with its own Workers and databases, or update it.

    Copies another stack's configuration without routes, custom domains, fixed names and protection.
    Run it again to copy the configuration again and restart the time to live. When that has
    passed, `flowflare env sweep` removes the environment, on any machine with the same backend.

    Examples:

      flowflare env up pr-123 --ttl 48h

      flowflare env up pr-123 --from dev --seed seeds/orders.sql
    """
    root = choose_project_root(cwd)
    lifetime, seeds = parse_ttl(ttl), read_seeds(seed or (), root)
    print_message(f"Updating environment {name}")
    with make_context(root, "Working") as where:
        outcome = bring_up(name, where, ttl=lifetime, base=base, seeds=seeds)
    if json:
        print_json(_document(outcome))
    else:
        _show(outcome)


def _document(outcome: UpResult) -> dict[str, Any]:
    update = outcome.update
    return {
        **describe_environment(outcome.record),
        "new": outcome.is_new,
        "changed": update.changed,
        "seconds": round(update.seconds, 3),
        "outputs": dict(update.outputs),
        "seeds": [
            {"file": seeded.seed.file, "database": seeded.seed.database, "ran": seeded.ran}
            for seeded in outcome.seeded
        ],
    }


def _show(outcome: UpResult) -> None:
    console, record, update = open_stdout(), outcome.record, outcome.update
    result = "is up" if outcome.is_new else "is up to date"
    changes = (
        f"{update.changed} changes in {update.seconds:.1f} s" if update.changed else "no change"
    )
    console.print(f"\nEnvironment {record.name} {result}: {changes}.", markup=False)
    for seeded in outcome.seeded:
        if seeded.changed:
            text = f"{seeded.seed.file} has changed since it ran, and does not run again"
            print_message(f"  warning: {text}")
        elif seeded.ran:
            console.print(f"  seeded {seeded.seed.database} with {seeded.seed.file}", markup=False)
    urls = [("service", update.outputs.get("service_url"))]
    urls += sorted((update.outputs.get("client_urls") or {}).items())
    for name, url in urls:
        if url:
            console.print(f"  {name:<36} {url}", markup=False)
    console.print(
        f"\nIt expires at {format_time(record.expires)}."
        f"\nNext:  flowflare outputs -s {quote(record.stack)}",
        markup=False,
    )
