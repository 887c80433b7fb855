"""Register an API key."""

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.api_key.apply import ApiKeyProvider


class ApiKey(Resource, module="flowflare", name="ApiKey"):
    """A stack's API key, generated once; `api_key` is a secret that names the environment."""

    api_key: pulumi.Output[str]

    def __init__(
        self, name: str, *, environment_name: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"environment_name": environment_name, "key_id": None, "api_key": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["api_key"])
        opts = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(ApiKeyProvider(), name, props, opts)
