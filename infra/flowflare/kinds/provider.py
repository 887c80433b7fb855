"""What the dynamic providers share: the API that the configuration names, and small answers."""

import os
from typing import Any, ClassVar

from pulumi.dynamic import ConfigureRequest, DiffResult, ReadResult, ResourceProvider
from pulumi.output import Unknown

from flowflare.api import PROCESS, Client, Connector
from flowflare.errors import SecretError

Props = dict[str, Any]

#: The module that every state names for a provider's class, wherever its file lies.
STORED_MODULE = "flowflare.resources.providers"
_CLOUDFLARE = "https://api.cloudflare.com/client/v4"


class CloudflareProvider(ResourceProvider):
    """A provider that calls Cloudflare's API as the stack's configuration says."""

    serialize_as_secret_always = False
    # Class attributes: an instance that is pickled has none of its own.
    _base_url: str = ""
    _token: str = ""
    _api: Connector = PROCESS
    _client: Client | None = None
    #: Inputs that say which thing it is: another value is another thing.
    identity: ClassVar[tuple[str, ...]] = ()

    def configure(self, req: ConfigureRequest) -> None:
        """Takes base URL and token from the configuration, else from the environment."""
        configured = req.config.get("cloudflare:baseUrl")
        self._base_url = configured or os.environ.get("CLOUDFLARE_BASE_URL") or _CLOUDFLARE
        token = req.config.get("cloudflare:apiToken")
        self._token = token or os.environ.get("CLOUDFLARE_API_TOKEN") or ""

    def use_api(self, api: Connector) -> None:
        """Opens the API's client with what the embedded engine's other clients share."""
        self._api = api

    def api(self) -> Client:
        """The API's client.

        Raises:
            SecretError: there is no token.
        """
        if self._client is None:
            if not self._token:
                remedy = "Run `pulumi config set --secret cloudflare:apiToken`."
                raise SecretError("there is no API token for Cloudflare", remedy=remedy)
            self._client = self._api.open(self._base_url, self._token)
        return self._client

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Replace the resource if its identity changes; nothing else changes it."""
        replaces = self._replaces(olds, news)
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def _replaces(self, old: Props, new: Props) -> list[str]:
        """The identity that changes; what is unknown yet is made anew, so it changes too."""
        return [name for name in self.identity if _changed(old.get(name), new.get(name))]


def gone() -> ReadResult:
    """What `read` returns for a thing that is not there any more."""
    return ReadResult("", {})


def _is_known(value: object) -> bool:
    return not isinstance(value, Unknown)


def _changed(old: object, new: object) -> bool:
    return not _is_known(new) or old != new


def kept(props: Props) -> Props:
    """What of a resource's properties goes into its outputs: all but Pulumi's own."""
    return {name: value for name, value in props.items() if name != "__provider"}


def script_id(props: Props) -> str:
    """The id of what belongs to one script: account and script name."""
    return f"{props['account_id']}/{props['script_name']}"
