"""The API's address and the token that a stack's configuration or the environment names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from flowflare.errors import SecretError

if TYPE_CHECKING:
    from flowflare.config.files import Project

_CLOUDFLARE: Final = "https://api.cloudflare.com/client/v4"


def base_url(project: "Project", environ: Mapping[str, str]) -> str:
    """The API's address."""
    value = project.values.get("cloudflare:baseUrl")
    return value.text if value else environ.get("CLOUDFLARE_BASE_URL") or _CLOUDFLARE


def token(project: "Project", environ: Mapping[str, str]) -> str:
    """The API token, the one secret that is opened by who only calls the API.

    Args:
        project: the project seen through the stack.
        environ: the environment: the token, or the passphrase that opens the configuration's.

    Raises:
        SecretError: there is none, or it cannot be opened here.
    """
    value = project.values.get("cloudflare:apiToken")
    given = environ.get("CLOUDFLARE_API_TOKEN", "")
    if value is None and not given:
        remedy = (
            "Run `pulumi config set --secret cloudflare:apiToken`, or set CLOUDFLARE_API_TOKEN."
        )
        raise SecretError("there is no API token for Cloudflare", remedy=remedy)
    if value is None or not value.secret:
        return value.text if value else given
    from flowflare.config.files import private_folder
    from flowflare.engine.passphrase import Vault, find_passphrase

    try:
        passphrase = find_passphrase(private_folder(project.root), environ, make=False)
        return Vault(passphrase, project.encryption_salt or "").open_text(value.text)
    except SecretError as error:
        if given:
            return given
        message = f"{value.file}:{value.line}: cloudflare:apiToken: {error.message}"
        remedy = error.remedy or "Set CLOUDFLARE_API_TOKEN for this command."
        raise SecretError(message, remedy=remedy) from None
