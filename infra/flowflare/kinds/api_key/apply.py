"""Provider of a stack's API key."""

from pulumi.dynamic import CreateResult, DiffResult

from flowflare.kinds.provider import STORED_MODULE, CloudflareProvider, Props, kept
from flowflare.secrets.generate import generate_api_key


class ApiKeyProvider(CloudflareProvider):
    """A stack's API key: made once, kept in state as a secret."""

    __module__ = STORED_MODULE

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """A key never changes by itself."""
        return DiffResult(changes=False)

    def create(self, props: Props) -> CreateResult:
        """Makes a key. A killed run's key was never stored or bound, so another one is as good."""
        key = generate_api_key(props["environment_name"])
        return CreateResult(key.key_id, kept(props) | {"key_id": key.key_id, "api_key": key.text})
