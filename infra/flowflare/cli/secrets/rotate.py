"""`flowflare secrets rotate`: deploy a new API key; with `--finish`, remove the old one."""

from collections.abc import Callable
from dataclasses import asdict
from shlex import quote
from typing import Annotated, Any

import typer

from flowflare.cli.console import open_stderr, print_json, print_message, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.cli.policies import check_policies, has_policies
from flowflare.cli.progress import show_progress
from flowflare.cli.stacks import make_ready, open_project_stack
from flowflare.config.files import Project, read_project
from flowflare.fleet.tenants.files import refuse_single
from flowflare.rollout.health import Patience
from flowflare.rollout.rotate import Rotation
from flowflare.rollout.rotation import RotationStep
from flowflare.rollout.secret_status import next_sentence
from flowflare.values.events import Plan


def rotate(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish", help="Remove the old key, once callers outside the stack have the new one."
        ),
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would be written and run, and do nothing.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="How long a health check waits for correct answers."),
    ] = 60,
    json: JsonOption = False,
) -> None:
    """Deploy a new API key to the service, then to its clients; with --finish remove the old key.

    Each step writes two keys of Pulumi.<stack>.yaml, runs `up`, and checks the health of the
    service and the clients. Run the same command again to resume, even after a crash.

    Examples:

      flowflare secrets rotate

      flowflare secrets rotate --finish
    """
    project = read_project(choose_project_root(cwd), stack)
    refuse_single(project)
    rotation = Rotation(project, open_project_stack, Patience(timeout), _judge)
    if not preview:
        make_ready(project)
    steps = rotation.steps(finish=finish)
    document: dict[str, Any]
    if preview:
        document = {"stack": stack, "would": [_dump_step(step) for step in steps]}
    else:
        done = _perform(rotation, steps, quiet=json)
        document = {"stack": stack, "done": done, "keys": asdict(rotation.keys())}
    next_command = _next_command(rotation, steps, preview=preview)
    if json:
        print_json(document | {"next": next_command})
    else:
        _show(steps, next_command, preview=preview)


def _judge(project: Project, plan: Callable[[], Plan]) -> None:
    """Apply the stack's policies to a step, as `up` does."""
    if has_policies(project):
        check_policies(project, plan())


def _perform(
    rotation: Rotation, steps: tuple[RotationStep, ...], *, quiet: bool
) -> list[dict[str, Any]]:
    if steps and steps[0].kind == "accept" and steps[0].keys != rotation.keys():
        with open_stderr().status("Checking that no other change waits to be deployed"):
            rotation.require_nothing_else()
    done = []
    for step in steps:
        print_message(f"Step {step.number} of 3: {step.title}")
        print_message(f"  {step.keys}", style="dim")
        with show_progress("Working") as on_event:
            healthy = rotation.perform(step, on_event)
        if not quiet:
            for sentence in healthy:
                print_result(f"  {sentence}")
        done.append(_dump_step(step) | {"healthy": list(healthy)})
    return done


def _dump_step(step: RotationStep) -> dict[str, Any]:
    return {
        "step": step.number,
        "kind": step.kind,
        "title": step.title,
        "configuration": step.keys.configuration,
    }


def _next_command(rotation: Rotation, steps: tuple[RotationStep, ...], *, preview: bool) -> str:
    if preview and steps:
        finish = " --finish" if steps[-1].number == 3 else ""
        return f"Do it: flowflare secrets rotate --stack {quote(rotation.project.stack)}{finish}"
    keys = rotation.keys()
    return next_sentence(keys, frozenset(keys.accepted), rotation.project.stack)


def _show(steps: tuple[RotationStep, ...], next_command: str, *, preview: bool) -> None:
    if not steps:
        print_result("There is no old key to remove.")
    if preview:
        for step in steps:
            print_result(f"Step {step.number} of 3: {step.title}")
            print_result(f"  {step.keys}; then up and a health check")
    print_message(f"\nNext:  {next_command}")
