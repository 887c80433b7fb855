"""`flowflare order`: send an order to the example client and follow its run to the end."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from flowflare.api.headers import check_secret
from flowflare.cli.console import open_stderr, print_json, print_result, quote_program
from flowflare.cli.local import require_embedded
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.config.files import read_project
from flowflare.engine.contract import open_stack
from flowflare.errors import FlowflareError
from flowflare.reading.json_text import parse_json

ENDED = frozenset({"Completed", "Errored"})
PAUSE = 0.2


@dataclass(frozen=True)
class Tracking:
    """The URLs of a stack's service and of one client, and the service's API key."""

    service_url: str
    client_url: str
    api_key: str


def order(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    client: Annotated[
        str, typer.Option("--client", metavar="NAME", help="The client that accepts orders.")
    ] = "orders",
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="How long to follow the run.")
    ] = 60.0,
    json: JsonOption = False,
) -> None:
    """Send an order to the example client and follow its run to the end.

    Examples:

      flowflare order

      flowflare order --json | jq .status
    """
    tracking = _read_tracking(stack, choose_project_root(cwd), client)
    with open_stderr().status("Sending an order") as status:
        run = follow(tracking, timeout, status.update)
    if json:
        print_json(run)
    else:
        _show(run, tracking, stack)
    if run["status"] != "Completed":
        raise FlowflareError(
            f"run {run['id']} ended as {run['status']}",
            remedy="See the Workers' logs: flowflare emulator logs",
        )


def follow(tracking: Tracking, timeout: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Send an order, and poll the service for its run until it ends.

    Args:
        tracking: the URLs and the API key.
        timeout: seconds to wait for the end.
        say: called with the run's current status, for a display.

    Returns:
        The run with its steps and their retries, as the service reports it.

    Raises:
        FlowflareError: a Worker refused or did not answer, or the run did not end in time.
    """
    deadline = time.monotonic() + timeout
    with httpx.Client(timeout=10) as http:
        started = _post(http, f"{tracking.client_url}/orders", {}, {})
        run_id = started["workflowId"]
        while True:
            query = {"workflowId": run_id}
            key = {"X-API-Key": check_secret(tracking.api_key, "the stack's API key")}
            answer = _post(http, f"{tracking.service_url}/service/get-workflow", query, key)
            run: dict[str, Any] = answer["workflow"]
            if run["status"] in ENDED:
                return run
            if time.monotonic() > deadline:
                raise FlowflareError(
                    f"run {run_id} is still {run['status']} after {timeout:g} s",
                    remedy="Wait longer with --timeout, or see the logs: flowflare emulator logs",
                )
            say(f"Order {started['order_id']}: {_describe_status(run)}")
            time.sleep(PAUSE)


def _describe_status(run: dict[str, Any]) -> str:
    steps = run.get("steps") or []
    return f"{run['status']}, {steps[-1]['step_name']}" if steps else str(run["status"])


def _post(
    http: httpx.Client, url: str, body: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    try:
        response = http.post(url, json=body, headers=headers)
        answer: dict[str, Any] = parse_json(response.content)
    except (httpx.HTTPError, ValueError) as error:
        raise FlowflareError(
            f"{url} did not answer: {str(error) or type(error).__name__}",
            remedy="Is the stack up? Run: flowflare up",
        ) from None
    if response.is_error:
        raise FlowflareError(f"{url} answered {response.status_code}: {answer.get('error')}")
    return answer


def _read_tracking(stack: str, root: Any, client: str) -> Tracking:
    project = read_project(root, stack)
    require_embedded(project, "stack output")
    outputs = open_stack(project, os.environ).outputs(show_secrets=True)
    clients = outputs.get("client_urls") or {}
    if not outputs.get("service_url") or not clients:
        raise FlowflareError(
            f"stack {stack} is not up", remedy=f"Run: flowflare up{make_stack_option(stack)}"
        )
    if client not in clients:
        raise FlowflareError(
            f"stack {stack} has no client {client}",
            remedy=f"It has: {', '.join(sorted(clients))}. Choose one with --client",
        )
    return Tracking(outputs["service_url"], clients[client], outputs["api_key"])


def _show(run: dict[str, Any], tracking: Tracking, stack: str) -> None:
    print_result(f"\nRun {run['id']} of order {run['ref_id']}: {run['status']}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "step", "status", "retries", "took"):
        table.add_column(column, justify="right" if column == "took" else "left")
    for step in run.get("steps") or []:
        retries = step.get("retries") or []
        last = f"{len(retries)} ({retries[-1]['last_error']})" if retries else ""
        index = str(step["step_index"])
        table.add_row(index, step["step_name"], step["status"], last, _format_duration(step))
    print_result(table)
    option = make_stack_option(stack)
    post = "-X POST -H 'content-type: application/json' -d '{}'"
    print_result(
        f"\nNext:\n"
        f"  curl {post} {tracking.client_url}/orders\n"
        f"  {quote_program()} outputs{option} --show-secrets\n"
        f"  {quote_program()} preview{option}     after an edit"
    )


def _format_duration(step: dict[str, Any]) -> str:
    if not step.get("started_at") or not step.get("completed_at"):
        return ""
    started, completed = (
        datetime.fromisoformat(step[key]) for key in ("started_at", "completed_at")
    )
    return f"{(completed - started).total_seconds():.2f} s"
