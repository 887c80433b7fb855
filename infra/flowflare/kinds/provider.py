"""The common part of the dynamic providers: access to the API, and small results."""

import os
from typing import Any, ClassVar

from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from flowflare.api import PROCESS, Client, Connector
from flowflare.errors import SecretError

Props = dict[str, Any]

#: The module of provider classes in states, independent of the file that defines the class.
STORED_MODULE = "flowflare.resources.providers"
_CLOUDFLARE = "https://api.cloudflare.com/client/v4"


class CloudflareProvider(ResourceProvider):
    """A provider that calls the Cloudflare API of the stack's configuration."""

    serialize_as_secret_always = False
    # Class attributes: a pickled instance has no attributes.
    _base_url: str = ""
    _token: str = ""
    _api: Connector = PROCESS
    _client: Client | None = None
    #: Inputs that identify the resource: a new value replaces the resource.
    identity: ClassVar[tuple[str, ...]] = ()

    def configure(self, req: ConfigureRequest) -> None:
        """Take base URL and token from the configuration, otherwise from the environment."""
        configured = req.config.get("cloudflare:baseUrl")
        self._base_url = configured or os.environ.get("CLOUDFLARE_BASE_URL") or _CLOUDFLARE
        token = req.config.get("cloudflare:apiToken")
        self._token = token or os.environ.get("CLOUDFLARE_API_TOKEN") or ""

    def use_api(self, api: Connector) -> None:
        """Use the connector that the embedded engine's other clients share."""
        self._api = api

    def api(self) -> Client:
        """Return the API's client.

        Raises:
            SecretError: there is no token.
        """
        if self._client is None:
            if not self._token:
                remedy = "Set CLOUDFLARE_API_TOKEN, or: flowflare secrets set cloudflare:apiToken"
                raise SecretError("there is no API token for Cloudflare", remedy=remedy)
            self._client = self._api.open(self._base_url, self._token)
        return self._client

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Replace the resource if its identity changes; other inputs change nothing."""
        replaces = self._replaces(olds, news)
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def _replaces(self, old: Props, new: Props) -> list[str]:
        """List the inputs of the identity that change; an unknown value counts as a change."""
        return [
            name
            for name in self.identity
            if isinstance(new.get(name), Unknown) or old.get(name) != new.get(name)
        ]


class UploadProvider(CloudflareProvider):
    """A provider that uploads something to a script; of its inputs, only `compared` counts."""

    identity = ("account_id", "script_name")
    compared: ClassVar[str] = ""

    def upload(self, props: Props) -> None:
        """Upload it to the script.

        Raises:
            ApiError: Cloudflare refused a request.
        """
        raise NotImplementedError

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the input that counts; ignore changed code."""
        replaces = self._replaces(olds, news)
        changes = bool(replaces) or olds.get(self.compared) != news.get(self.compared)
        return DiffResult(changes=changes, replaces=replaces)

    def foresee(self, news: Props) -> Props:
        """Return the outputs before the operation."""
        return self._outputs(news)

    def create(self, props: Props) -> CreateResult:
        """Upload; raise the errors of `upload`."""
        self.upload(props)
        return CreateResult(script_id(props), self._outputs(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Upload again; raise the errors of `upload`."""
        self.upload(news)
        return UpdateResult(self._outputs(news))

    def _outputs(self, props: Props) -> Props:
        return {name: props.get(name) for name in (*self.identity, self.compared)}


def make_gone_result() -> ReadResult:
    """Make the result of `read` for a resource that no longer exists."""
    return ReadResult("", {})


def keep_outputs(props: Props) -> Props:
    """Return the properties that become outputs: all except Pulumi's own."""
    return {name: value for name, value in props.items() if name != "__provider"}


def script_id(props: Props) -> str:
    """Return the ID of a part of a script: account and script name."""
    return f"{props['account_id']}/{props['script_name']}"
