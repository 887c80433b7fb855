"""Where the commands over environments work: this project, this process, its terminal."""

import os
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flowflare.config.files import Project
    from flowflare.fleet.environments.lifecycle import CommandContext
    from flowflare.fleet.environments.records import EnvironmentRecord

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The environment's name, for example pr-123.")
]


@contextmanager
def surroundings(root: "Path", title: str) -> "Iterator[CommandContext]":
    """Where a command that changes environments works, with a display of what happens.

    Args:
        root: the project's folder.
        title: what is going on.
    """
    from flowflare.cli.progress import progress
    from flowflare.cli.stacks import make_ready
    from flowflare.fleet.environments.lifecycle import CommandContext

    with progress(title) as on_event:
        yield CommandContext(
            root, dict(os.environ), ready=make_ready, judge=_judge, on_event=on_event
        )


def _judge(project: "Project") -> None:
    """Stops before an `up` that the team's policies are against."""
    from flowflare.cli.console import messages
    from flowflare.cli.policies import check_policies, has_policies
    from flowflare.cli.stacks import plan_of

    if has_policies(project):
        plan = plan_of(project, lambda text: messages().print(text, markup=False))
        check_policies(project, plan)


def document(record: "EnvironmentRecord") -> dict[str, str]:
    """What is printed of an environment as JSON."""
    return {
        "name": record.name,
        "stack": record.stack,
        "environment": record.environment,
        "from": record.base,
        "created": record.created.isoformat(),
        "expires": record.expires.isoformat(),
    }


def shown_time(moment: datetime) -> str:
    """A moment as it is printed, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def shown_left(left: timedelta) -> str:
    """How long something still is, or since when it is over: `2 d 3 h`, `over for 5 min`."""
    seconds = int(abs(left).total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    text = f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else ""
    text = text or f"{minutes} min"
    return text if left > timedelta() else f"over for {text}"
