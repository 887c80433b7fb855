"""Start, stop and show the embedded Cloudflare of a project."""

import shlex
import time
from collections import deque
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from flowflare.cli.console import print_json, print_message, print_result
from flowflare.cli.local import ensure_running
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.config.engine import data_folder
from flowflare.config.files import read_project
from flowflare.emulator import process
from flowflare.emulator.process import Running
from flowflare.errors import EmulatorError
from flowflare.reading.files import open_file
from flowflare.reading.json_text import parse_json


def start(stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None) -> None:
    """Start the embedded Cloudflare in the background, unless it runs already.

    Example: flowflare emulator start
    """
    running = ensure_running(read_project(choose_project_root(cwd), stack))
    print_message(f"The embedded Cloudflare answers on {running.base_url}")


def stop(cwd: ProjectOption = None) -> None:
    """Stop the embedded Cloudflare and keep its data.

    Example: flowflare emulator stop
    """
    stopped = process.stop(data_folder(choose_project_root(cwd)))
    text = "The embedded Cloudflare has stopped." if stopped else "No embedded Cloudflare runs."
    print_message(text)


def status(cwd: ProjectOption = None, json: JsonOption = False) -> None:
    """Show whether the embedded Cloudflare runs, and the URLs of its Workers.

    Example: flowflare emulator status --json
    """
    report = _report(choose_project_root(cwd))
    if json:
        print_json(report)
        return
    if not report["running"]:
        print_result("No embedded Cloudflare runs. Start it: flowflare emulator start")
        return
    print_result(f"It answers on {report['base_url']} (process {report['pid']})")
    if report["status"] != "ready":
        print_result(f"Its Workers do not run: {report['problem']}")
    for worker in report["workers"]:
        print_result(f"  {worker['script']:<40} {worker['url']}")


def env(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Print the address, token and account for wrangler, SDKs, Pulumi and Terraform.

    The token allows everything in the embedded Cloudflare, and nothing elsewhere. The embedded
    Cloudflare must run.

    Examples:

      eval "$(flowflare emulator env)"

      flowflare emulator env --json
    """
    project = read_project(choose_project_root(cwd), stack)
    running = process.find_running(data_folder(project.root))
    if running is None:
        raise EmulatorError(
            "no embedded Cloudflare runs in this project",
            remedy="Start it: flowflare emulator start",
        )
    account = project.values.get("flowflare:accountId")
    variables = {
        "CLOUDFLARE_BASE_URL": running.base_url,
        # wrangler's name for the same URL.
        "CLOUDFLARE_API_BASE_URL": running.base_url,
        "CLOUDFLARE_API_TOKEN": running.token,
        "CLOUDFLARE_ACCOUNT_ID": account.text if account else "",
    }
    known = {name: value for name, value in variables.items() if value}
    if json:
        access = {"url": running.base_url, "token": running.token}
        print_json({**access, "account": account.text if account else None, "environment": known})
        return
    for name, value in known.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def logs(
    cwd: ProjectOption = None,
    lines: Annotated[
        int,
        typer.Option(
            "--lines", "-n", metavar="N", min=0, help="How many of the last lines to print."
        ),
    ] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing new lines.")
    ] = False,
) -> None:
    """Print what the embedded Cloudflare and its Workers wrote.

    Example: flowflare emulator logs -n 200
    """
    path = process.log_file(data_folder(choose_project_root(cwd)))
    if not path.exists():
        typer.echo("No embedded Cloudflare has run here.", err=True)
        return
    with TextIOWrapper(open_file(path), encoding="utf-8", errors="replace") as log:
        for line in deque(log, lines):
            typer.echo(line, nl=False)
        while follow:
            line = log.readline()
            if line:
                typer.echo(line, nl=False)
            else:
                time.sleep(0.2)


def read_health(running: Running) -> dict[str, Any]:
    """Read the health of the embedded Cloudflare: `status`, and `problem` unless it is `ready`.

    Raises:
        EmulatorError: it does not answer.
    """
    try:
        # If the runtime cannot be restarted, the answer is 503 with the reason.
        url = f"http://127.0.0.1:{running.port}/emulator/health"
        health = parse_json(httpx.get(url, timeout=10).content)
        return {"status": str(health["status"]), "problem": health.get("problem")}
    except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _no_answer(running, error) from None


def _no_answer(running: Running, error: Exception) -> EmulatorError:
    return EmulatorError(
        f"the embedded Cloudflare (process {running.pid}) does not answer: {error}",
        remedy="Its log may say why: flowflare emulator logs. Then: flowflare emulator stop",
    )


def _report(root: Path) -> dict[str, Any]:
    running = process.find_running(data_folder(root))
    if running is None:
        return {"running": False}
    health = read_health(running)
    url = f"http://127.0.0.1:{running.port}/emulator"
    try:
        headers = {"Authorization": f"Bearer {running.token}"}
        response = httpx.get(f"{url}/workers", headers=headers, timeout=10).raise_for_status()
        answer = parse_json(response.content)
    except (httpx.HTTPError, ValueError) as error:
        raise _no_answer(running, error) from None
    return {
        "running": True,
        "pid": running.pid,
        "base_url": running.base_url,
        "status": health["status"],
        "problem": health.get("problem"),
        "workers": answer["workers"],
        "log": str(process.log_file(data_folder(root))),
    }
