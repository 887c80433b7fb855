"""Find the address and the token of a stack's API in configuration, emulator or environment."""

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Final

from flowflare.config.engine import data_folder, engine_of
from flowflare.config.files import API_TOKEN
from flowflare.emulator.api_token import read_token
from flowflare.emulator.process import find_running
from flowflare.errors import SecretError
from flowflare.redaction.run import learn

if TYPE_CHECKING:
    from pathlib import Path

    from flowflare.config.files import Project

_CLOUDFLARE: Final = "https://api.cloudflare.com/client/v4"


def read_base_url(project: "Project", environ: Mapping[str, str]) -> str:
    """Return the API's address."""
    value = project.values.get("cloudflare:baseUrl")
    return value.text if value else environ.get("CLOUDFLARE_BASE_URL") or _CLOUDFLARE


def find_own_token(project: "Project") -> str | None:
    """Return the API token of a project's own embedded Cloudflare.

    Returns:
        None if the configuration has a token, if no emulator has run in the project, or if the
        stack uses neither the embedded engine nor the address of the running emulator.
    """
    data = data_folder(project.root)
    if API_TOKEN in project.values or not (
        engine_of(project).needs_emulator or _is_at(project, data)
    ):
        return None
    return read_token(data)


def _is_at(project: "Project", data: "Path") -> bool:
    """Return whether the configuration names the address of the emulator that serves the data."""
    value, running = project.values.get("cloudflare:baseUrl"), find_running(data)
    return value is not None and running is not None and value.text == running.base_url


def make_stack_environment(project: "Project", environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment of a stack's run, with the token of its own embedded Cloudflare.

    That token replaces a token of the environment, which is for a real account.
    """
    own = find_own_token(project)
    learn(own)
    return environ if own is None else {**environ, "CLOUDFLARE_API_TOKEN": own}


def find_token(project: "Project", environ: Mapping[str, str]) -> str:
    """Open the API token, the only secret that a command needs if it only calls the API.

    Args:
        environ: the environment: the token, or the passphrase that opens the configured token.

    Raises:
        SecretError: there is no token, or it cannot be opened here.
    """
    value = project.values.get(API_TOKEN)
    given = make_stack_environment(project, environ).get("CLOUDFLARE_API_TOKEN", "")
    if value is None and not given:
        remedy = (
            f"Run `flowflare secrets set cloudflare:apiToken -s {quote(project.stack)}`, or set "
            "CLOUDFLARE_API_TOKEN."
        )
        raise SecretError("there is no API token for Cloudflare", remedy=remedy)
    if value is None or not value.secret:
        return value.text if value else given
    from flowflare.engine.configuration import open_vault

    try:
        return open_vault(project, environ).open_text(value.text)
    except SecretError as error:
        if given:
            return given
        message = f"{value.file}:{value.line}: cloudflare:apiToken: {error.message}"
        remedy = error.remedy or "Set CLOUDFLARE_API_TOKEN for this command."
        raise SecretError(message, remedy=remedy) from None
