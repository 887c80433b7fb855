"""The secrets of one Worker as resources, and the key that their fingerprints are made with."""

import re

import pulumi

from flowflare.model.secret_sources import FileSource, GeneratedSource, SecretSource
from flowflare.resources.dynamic import SecretValue
from flowflare.resources.project import project_root
from flowflare.secrets.local import open_to_others


class WorkerSecrets:
    """Declares a Worker's secrets, each as a resource of its own.

    Args:
        name: the first part of the resources' names.
        parent: the Worker's component.
    """

    def __init__(self, name: str, *, parent: pulumi.Resource) -> None:
        self._name = name
        self._root = project_root()
        self._options = pulumi.ResourceOptions(parent=parent)
        self._key: pulumi.Output[str] | None = None

    def declare(self, secret_name: str, source: SecretSource) -> pulumi.Output[str]:
        """Declares a secret; returns its value, a secret.

        Args:
            secret_name: its name, as the Worker sees it.
            source: where its value is from.
        """
        if self._key is None:
            key = SecretValue(
                f"{self._name}-fingerprint-key",
                secret_name="fingerprint-key",  # noqa: S106 -- a name
                source=GeneratedSource(),
                opts=self._options,
            )
            self._key = key.value
        secret = SecretValue(
            f"{self._name}-secret-{re.sub('[_.]', '-', secret_name.lower())}",
            secret_name=secret_name,
            source=source,
            fingerprint_key=self._key,
            root=self._root,
            opts=self._options,
        )
        if isinstance(source, FileSource):
            warning = open_to_others(source, self._root)
            if warning:
                pulumi.warn(warning, secret)
        return pulumi.Output.secret(secret.value)
