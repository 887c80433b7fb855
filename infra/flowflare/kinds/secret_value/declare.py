"""Register a secret value. Property names are snake_case on both sides of a dynamic resource."""

from pathlib import Path

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.secret_value.apply import PREVIEW_INPUT, ROOT_INPUT, SecretValueProvider
from flowflare.model import secret_sources


class SecretValue(Resource, module="flowflare", name="SecretValue"):
    """A secret value from a source, fetched again when the source changes.

    Args:
        fingerprint_key: the key for its fingerprints, a secret; None for a generated value, which
            changes only with its generation.
        root: the folder that a file's relative path starts from.

    Attributes:
        value: the value, a secret.
    """

    value: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        secret_name: str,
        source: secret_sources.SecretSource,
        fingerprint_key: pulumi.Input[str] | None = None,
        root: Path | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        value, key = None, None
        if isinstance(source, secret_sources.ConfigSource):
            value = pulumi.Output.secret(source.value.get_secret_value())
        if fingerprint_key is not None:
            key = pulumi.Output.secret(fingerprint_key)
        props = {
            "secret_name": secret_name,
            "source": secret_sources.to_wire(source),
            "value": value,
            "fingerprint_key": key,
            "fingerprint": None,
            "version": None,
            "changed_at": None,
            ROOT_INPUT: str(root) if root else None,
            PREVIEW_INPUT: True if pulumi.runtime.is_dry_run() else None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["value", "fingerprint_key"])
        opts = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(SecretValueProvider(), name, props, opts)
