"""What the commands over ephemeral environments share: their context, and how times are shown."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from flowflare.cli.console import print_message
from flowflare.cli.policies import check_policies, has_policies
from flowflare.cli.progress import show_progress
from flowflare.cli.stacks import make_plan, make_ready
from flowflare.config.files import Project
from flowflare.fleet.environments.lifecycle import CommandContext
from flowflare.fleet.environments.records import EnvironmentRecord

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The environment's name, for example pr-123.")
]


@contextmanager
def make_context(root: Path, title: str) -> Iterator[CommandContext]:
    """Yield the context for a command that changes environments, with a progress display.

    Args:
        title: the text of the display while no step runs.
    """
    with show_progress(title) as on_event:
        yield CommandContext(
            root, dict(os.environ), ready=make_ready, judge=_judge, on_event=on_event
        )


def _judge(project: Project) -> None:
    """Stop before an `up` that violates the stack's policies."""
    if has_policies(project):
        plan = make_plan(project, print_message)
        check_policies(project, plan)


def describe_environment(record: EnvironmentRecord) -> dict[str, str]:
    """Return an environment as JSON shows it."""
    return {
        "name": record.name,
        "stack": record.stack,
        "environment": record.environment,
        "from": record.base,
        "created": record.created.isoformat(),
        "expires": record.expires.isoformat(),
    }


def format_time(moment: datetime) -> str:
    """Return a time in UTC, such as `2026-11-30 17:00 UTC`."""
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def format_left(left: timedelta) -> str:
    """Return the time that is left, such as `2 d 3 h`, or `over for 5 min` after its end."""
    seconds = int(abs(left).total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    text = f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else ""
    text = text or f"{minutes} min"
    return text if left > timedelta() else f"over for {text}"
