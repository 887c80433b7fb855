"""Provider of a stack's API key."""

from pulumi.dynamic import CreateResult, DiffResult

from flowflare.kinds.provider import STORED_MODULE, CloudflareProvider, Props, keep_outputs
from flowflare.secrets.generate import generate_api_key


class ApiKeyProvider(CloudflareProvider):
    """A stack's API key: generated once, stored in state as a secret."""

    __module__ = STORED_MODULE

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Report no change: a key does not depend on its inputs."""
        return DiffResult(changes=False)

    def create(self, props: Props) -> CreateResult:
        """Generate a key. The key of a killed run was not stored or bound, so it is not needed."""
        key = generate_api_key(props["environment_name"])
        return CreateResult(
            key.key_id, keep_outputs(props) | {"key_id": key.key_id, "api_key": key.text}
        )
