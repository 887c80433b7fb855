"""Run the checks of `flowflare doctor`: this machine, the embedded Cloudflare, an account."""

import os
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from flowflare.errors import FlowflareError
from flowflare.reading.json_text import parse_json

if TYPE_CHECKING:
    from flowflare.config.files import Project, ProjectFile
    from flowflare.emulator.process import Running
    from flowflare.engine.pulumi_cli.checks import Check
    from flowflare.state.backends.store import Store

_INSTALL: Final = "Install the wheel again with its lock file (flowflare docs install)."
PACKAGES: Final = ("flowflare", "pulumi", "pulumi-cloudflare", "cloudflare")
_CLOUDFLARE: Final = "https://api.cloudflare.com/client/v4"


def check_machine(project: "Project") -> "Iterator[Check]":
    """Check the Python packages, Node and its packages."""
    from flowflare.engine.pulumi_cli.checks import Check
    from flowflare.render.node import find_node, find_node_packages

    try:
        found = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        yield Check("packages", "ok", found)
    except PackageNotFoundError as error:
        yield Check("packages", "fail", f"{error.name} is missing", _INSTALL)
    try:
        node = find_node()
        packages = find_node_packages(project.root)
    except FlowflareError as error:
        yield Check("node", "fail", error.message, error.remedy or "")
        return
    if packages is None:
        remedy = "The first command that needs them installs them from npm's registry."
        yield Check("node", "warn", "its packages are not installed yet", remedy)
    else:
        yield Check("node", "ok", f"{node}, packages in {packages}")


def check_embedded_engine(project: "Project") -> "Iterator[Check]":
    """Check the embedded Cloudflare and the state beside it."""
    from flowflare.cli.local import require_embedded
    from flowflare.config.engine import data_folder
    from flowflare.emulator import process
    from flowflare.engine.contract import open_stack
    from flowflare.engine.pulumi_cli.checks import Check
    from flowflare.state.location import open_project_store

    port = require_embedded(project)
    running = process.find_running(data_folder(project.root))
    if running is None:
        message = f"not running; `flowflare up` starts it on port {port}"
        yield Check("cloudflare", "ok", f"the embedded Cloudflare, {message}")
    elif running.port == port:
        yield _check_running(running)
    else:
        message = f"runs on port {running.port}, but {project.stack_file.name} says {port}"
        yield Check("cloudflare", "fail", message, "Run: flowflare emulator stop")
    if project.former_token is not None:
        place = f"{project.former_token.file}:{project.former_token.line}"
        message = f"{place}: the fixed token of earlier versions is ignored"
        yield Check(
            "token", "warn", message, "Delete the line: the engine reads the token of this project."
        )
    yield from _check_bucket(project, open_project_store)
    try:
        outputs = open_stack(project, os.environ).outputs(show_secrets=True)
    except FlowflareError as error:
        yield Check("state", "fail", error.message, error.remedy or "")
    else:
        state = "its state is valid" if outputs else "it is not up yet"
        yield Check("state", "ok", f"stack {project.stack}: {state}")


def _check_running(running: "Running") -> "Check":
    """Check the health of a running embedded Cloudflare, and that its API needs a token."""
    from flowflare.cli.emulator.commands import read_health
    from flowflare.emulator.api_token import token_file
    from flowflare.engine.pulumi_cli.checks import Check

    remedy = "Run: flowflare emulator stop"
    try:
        health = read_health(running)
    except FlowflareError as error:
        return Check("cloudflare", "fail", error.message, error.remedy or "")
    if health["status"] != "ready":
        message = f"the embedded Cloudflare is not ready: {health['problem'] or health['status']}"
        return Check("cloudflare", "fail", message, remedy)
    if not token_file(running.data).exists():
        message = "the embedded Cloudflare is of an earlier version, which accepts any token"
        return Check("cloudflare", "fail", message, remedy)
    message = (
        f"the embedded Cloudflare answers on {running.base_url}. Its API needs the token in "
        f"{token_file(running.data)}; its Workers answer every user of this machine."
    )
    return Check("cloudflare", "ok", message)


def check_pulumi_cli(project: "Project") -> "Iterator[Check]":
    """Check the Pulumi CLI, what it needs, and the account."""
    from flowflare.engine.pulumi_cli.account_checks import account_checks
    from flowflare.engine.pulumi_cli.checks import (
        backend_check,
        cli_check,
        export,
        plugin_checks,
        python_check,
        secrets_check,
        stack_check,
    )
    from flowflare.engine.pulumi_cli.command import find_cli

    cli = find_cli(os.environ)
    yield cli_check(cli)
    yield python_check(project, os.environ)
    backend = backend_check(project, os.environ)
    yield backend
    if backend.status == "ok":
        yield from _check_bucket(project, _open_store_of_cli)
    yield secrets_check(project, os.environ)
    if cli is not None and cli_check(cli).status != "fail":
        yield from plugin_checks(project.shared, os.environ)
        if backend.status != "fail":
            yield stack_check(project, export(project, os.environ))
    address, token, problem = _read_access(project)
    if problem is not None:
        yield problem
        return
    account = project.values.get("flowflare:accountId")
    yield from account_checks(address, token, account.text if account else "", _list_zones(project))


def _check_bucket(
    project: "Project", open_store: "Callable[[ProjectFile, Mapping[str, str]], Store]"
) -> "Iterator[Check]":
    """Check that a bucket for state supports conditional writes; other backends pass."""
    from flowflare.engine.pulumi_cli.checks import Check, bucket_check

    try:
        store = open_store(project.shared, os.environ)
    except FlowflareError as error:
        yield Check("bucket", "fail", error.message, error.remedy or "")
        return
    if store.is_remote:
        yield bucket_check(store)


def _open_store_of_cli(project: "ProjectFile", environ: "Mapping[str, str]") -> "Store":
    from flowflare.engine.pulumi_cli.state import backend_url
    from flowflare.state.location import open_project_store

    return open_project_store(
        project, {**environ, "PULUMI_BACKEND_URL": backend_url(project, environ)}
    )


def _read_access(project: "Project") -> "tuple[str, str, Check | None]":
    """Return the API's address and token, or the check that explains why the token is unusable."""
    from flowflare.engine.configuration import open_vault
    from flowflare.engine.pulumi_cli.checks import Check

    base = project.values.get("cloudflare:baseUrl")
    address = base.text if base else os.environ.get("CLOUDFLARE_BASE_URL") or _CLOUDFLARE
    value = project.values.get("cloudflare:apiToken")
    if value is None:
        return address, os.environ.get("CLOUDFLARE_API_TOKEN", ""), None
    if not value.secret:
        remedy = (
            f"Set it again: flowflare secrets set cloudflare:apiToken -s {quote(project.stack)}"
        )
        message = f"{value.file}:{value.line}: the token is not encrypted"
        local = address.startswith("http://127.0.0.1")
        return address, value.text, None if local else Check("token", "fail", message, remedy)
    try:
        return address, open_vault(project, os.environ).open_text(value.text), None
    except FlowflareError as error:
        message = f"the token in {value.file} cannot be decrypted here: {error.message}"
        return address, "", Check("token", "warn", message, error.remedy or "")


def _list_zones(project: "Project") -> list[str]:
    """List every `zoneId` in the configuration."""
    texts = (value.text for value in project.values.values() if value.text[:1] in "[{")
    return sorted({zone for text in texts for zone in _find_zones(_parse(text))})


def _find_zones(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("zoneId"), str):
            yield value["zoneId"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _find_zones(item)


def _parse(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None
