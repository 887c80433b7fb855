"""Declare the secrets of a Worker as resources, with the key for their fingerprints."""

import pulumi

from flowflare.kinds.secret_value.declare import SecretValue
from flowflare.model.names import hyphenate
from flowflare.model.secret_sources import FileSource, GeneratedSource, SecretSource
from flowflare.resources.project import find_project_root
from flowflare.secrets.local import warn_of_permissions


class WorkerSecrets:
    """Declares a Worker's secrets, each as its own resource.

    Args:
        name: the first part of the resources' names.
    """

    def __init__(self, name: str, *, parent: pulumi.Resource) -> None:
        self._name = name
        self._root = find_project_root()
        self._options = pulumi.ResourceOptions(parent=parent)
        self._key: pulumi.Output[str] | None = None

    def declare(self, secret_name: str, source: SecretSource) -> pulumi.Output[str]:
        """Declare a secret and return its value, as a secret."""
        is_fetched = not isinstance(source, GeneratedSource)
        if is_fetched and self._key is None:
            self._key = self._declare_key()
        secret = SecretValue(
            f"{self._name}-secret-{hyphenate(secret_name)}",
            secret_name=secret_name,
            source=source,
            fingerprint_key=self._key if is_fetched else None,
            root=self._root,
            opts=self._options,
        )
        if isinstance(source, FileSource):
            warning = warn_of_permissions(source, self._root)
            if warning:
                pulumi.warn(warning, secret)
        return pulumi.Output.secret(secret.value)

    def _declare_key(self) -> pulumi.Output[str]:
        name = f"{self._name}-fingerprint-key"
        return SecretValue(
            name, secret_name=name, source=GeneratedSource(), opts=self._options
        ).value
