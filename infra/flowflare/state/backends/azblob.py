"""A container of Azure Blob Storage: `azblob://CONTAINER[/PREFIX][?storage_account=ACCOUNT]`.

Names and options are those of gocloud.dev's `azureblob`, which Pulumi's backend uses. The
credentials are a key, a SAS token or a connection string from the environment, or what obstore
finds: a client secret, a federated token, a managed identity or the Azure CLI's login.
"""

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from flowflare.errors import StateError
from flowflare.state.backends.objects import ObjectStore, Timeouts, connect_obstore
from flowflare.state.backends.refusals import Remedies
from flowflare.state.backends.url import UrlOptions, read_bucket_url

_OPTIONS: Final = UrlOptions(
    texts=("storage_account", "domain", "protocol"),
    switches=("localemu", "cdn"),
    example="azblob://CONTAINER?storage_account=ACCOUNT",
)
REMEDIES: Final = Remedies(
    bucket="Create the container, or check its name: az storage container list",
    rights="Grant the role Storage Blob Data Contributor on the container.",
    credentials="Set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or log in with: az login",
)
_LOCAL: Final = ("127.0.0.1", "localhost")
# Variables of identities other than the Azure CLI's.
_IDENTITIES: Final = ("AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT")


def open_container(
    url: str,
    environ: Mapping[str, str],
    _base: Path | None = None,
    *,
    patience: Timeouts | None = None,
) -> ObjectStore:
    """Open a container, without a request.

    Args:
        environ: the environment, for the account, credentials and options missing in the URL.

    Raises:
        StateError: the URL is invalid, or does not name an account.
    """
    place, patience = read_bucket_url(url, _OPTIONS), patience or Timeouts()
    settings = _connection_string(environ)

    def find_option(option: str, variable: str, *parts: str) -> str:
        values = (place.text(option), environ.get(variable), *map(settings.get, parts))
        return next((value for value in values if value), "")

    account = find_option("storage_account", "AZURE_STORAGE_ACCOUNT", "AccountName")
    if not account:
        raise StateError(
            f"{place.public_url}: the storage account is missing",
            remedy=f"Write {_OPTIONS.example}, or set AZURE_STORAGE_ACCOUNT.",
        )
    protocol = (
        find_option("protocol", "AZURE_STORAGE_PROTOCOL", "DefaultEndpointsProtocol") or "https"
    )
    suffix = settings.get("EndpointSuffix", "core.windows.net")
    domain = find_option("domain", "AZURE_STORAGE_DOMAIN") or f"blob.{suffix}"
    endpoint = f"{protocol}://{account}.{domain}"
    if domain.startswith(_LOCAL) or "localemu" in place.switches:
        endpoint = f"{protocol}://{domain}/{account}"
    elif "cdn" in place.switches:
        endpoint = f"{protocol}://{domain}"
    config: dict[str, Any] = {
        "account_name": account,
        "endpoint": settings.get("BlobEndpoint") or endpoint,
        **_credentials(environ, settings),
    }

    sorted_config = tuple(sorted(config.items()))
    connect = partial(connect_obstore, "AzureStore", place, sorted_config, patience)
    return ObjectStore(place, connect, REMEDIES, patience)


def _credentials(environ: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, Any]:
    key = environ.get("AZURE_STORAGE_KEY")
    token = environ.get("AZURE_STORAGE_SAS_TOKEN")
    if not key and not token:
        key, token = settings.get("AccountKey"), settings.get("SharedAccessSignature")
    if key:
        return {"account_key": key}
    if token:
        return {"sas_key": token.removeprefix("?")}
    is_named = any(map(environ.get, _IDENTITIES))
    return {} if is_named or not shutil.which("az") else {"use_azure_cli": True}


def _connection_string(environ: Mapping[str, str]) -> dict[str, str]:
    names = ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGEBLOB_CONNECTIONSTRING")
    text = next(filter(None, map(environ.get, names)), "")
    parts = (part.partition("=") for part in text.split(";") if part)
    return {name: value for name, _, value in parts}
