"""Start, stop and show the embedded Cloudflare of a project or of any folder."""

import re
import shlex
import time
from collections import deque
from io import TextIOWrapper
from typing import Annotated, Any, Final

import httpx
import typer

from flowflare.cli.console import print_json, print_message, print_result
from flowflare.cli.emulator.place import ACCOUNT, DataOption, FolderOption, Place, find_place
from flowflare.cli.local import ensure_running
from flowflare.cli.options import DEFAULT_STACK, JsonOption, StackOption
from flowflare.emulator import process
from flowflare.emulator.environment import make_variables
from flowflare.emulator.process import Running
from flowflare.errors import EmulatorError
from flowflare.reading.files import open_file
from flowflare.reading.json_text import parse_json

#: A duration of up to 60 s, as `emulator/distance.py` reads it.
_DURATION: Final = re.compile(r"(\d{1,5}(\.\d{1,3})?ms|[1-5]?\d(\.\d{1,3})?s)")


def _check_duration(text: str | None) -> str | None:
    if text is not None and not _DURATION.fullmatch(text):
        raise typer.BadParameter(f"'{text}' is not a duration such as 60ms or 0.1s")
    return text


def start(
    stack: StackOption = DEFAULT_STACK,
    cwd: FolderOption = None,
    data: DataOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="N",
            min=1,
            max=65535,
            help="The port of its API, by default 8780, or any free port if that is taken. "
            "A Flowflare project has the port in its stack's file.",
        ),
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(
            "--latency",
            metavar="TIME",
            help="Add this round trip, such as 60ms, to calls of the API, D1, KV, R2 and Durable "
            "Objects until it stops; 0ms ends that.",
            callback=_check_duration,
        ),
    ] = None,
    d1_service_time: Annotated[
        str,
        typer.Option(
            "--d1-service-time",
            metavar="TIME",
            help="With --latency: how long a call or batch occupies its D1 database.",
            callback=_check_duration,
        ),
    ] = "1ms",
) -> None:
    """Start the embedded Cloudflare in the background, unless it runs already.

    In a Flowflare project it is that of the stack. Any other folder gets its own.

    Examples:

      flowflare emulator start

      flowflare emulator start --data /tmp/cloudflare --port 8790

      flowflare emulator start --latency 60ms
    """
    place = find_place(cwd, data)
    project = place.read_project(stack)
    if project is not None and port is not None:
        raise typer.BadParameter(
            f"{project.stack_file.name} has the port, in cloudflare:baseUrl", param_hint="--port"
        )
    running = place.ensure_running(port) if project is None else ensure_running(project)
    if latency is not None:
        _set_distance(running, {"latency": latency, "d1_service_time": d1_service_time})
    print_message(f"The embedded Cloudflare answers on {running.base_url}")


def stop(cwd: FolderOption = None, data: DataOption = None) -> None:
    """Stop the embedded Cloudflare and keep its data.

    Example: flowflare emulator stop
    """
    stopped = process.stop(find_place(cwd, data).data)
    text = "The embedded Cloudflare has stopped." if stopped else "No embedded Cloudflare runs."
    print_message(text)


def status(cwd: FolderOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Show whether the embedded Cloudflare runs, and the URLs of its Workers.

    Example: flowflare emulator status --json
    """
    place = find_place(cwd, data)
    report = _report(place)
    if json:
        print_json(report)
        return
    if not report["running"]:
        start = f"flowflare emulator start{place.option}"
        print_result(f"No embedded Cloudflare runs. Start it: {start}")
        return
    print_result(f"It answers on {report['base_url']} (process {report['pid']})")
    if report["status"] != "ready":
        print_result(f"Its Workers do not run: {report['problem']}")
    for worker in report["workers"]:
        print_result(f"  {worker['script']:<40} {worker['url']}")


def env(
    stack: StackOption = DEFAULT_STACK,
    cwd: FolderOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print the address, token and account for wrangler, SDKs, Pulumi and Terraform.

    The token allows everything in the embedded Cloudflare, and nothing elsewhere. The embedded
    Cloudflare must run.

    Examples:

      eval "$(flowflare emulator env)"

      flowflare emulator env --json
    """
    place = find_place(cwd, data)
    account = _choose_account(place, stack)
    running = place.require_running()
    variables = make_variables(running.base_url, running.token, account)
    known = {name: value for name, value in variables.items() if value}
    if json:
        access = {"url": running.base_url, "token": running.token}
        print_json({**access, "account": account, "environment": known})
        return
    for name, value in known.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _set_distance(running: Running, distance: dict[str, str]) -> None:
    try:
        httpx.put(
            f"http://127.0.0.1:{running.port}/emulator/distance",
            json=distance,
            headers={"Authorization": f"Bearer {running.token}"},
            timeout=60,
        ).raise_for_status()
    except httpx.HTTPError as error:
        raise _no_answer(running, error) from None


def _choose_account(place: Place, stack: str) -> str | None:
    """Return the stack's account, None if it has none; outside of a project always the same."""
    project = place.read_project(stack)
    if project is None:
        return ACCOUNT
    value = project.values.get("flowflare:accountId")
    return value.text if value else None


def logs(
    cwd: FolderOption = None,
    data: DataOption = None,
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
    path = process.log_file(find_place(cwd, data).data)
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


def _report(place: Place) -> dict[str, Any]:
    running = process.find_running(place.data)
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
        "log": str(process.log_file(place.data)),
    }
