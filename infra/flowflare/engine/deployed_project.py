"""Read a stack's project from its state if the stack's file is missing.

Removing the file deletes nothing, so the stack can still be inspected and destroyed. Pulumi stores
the configuration in the record of the provider of dynamic resources.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flowflare.config.engine import ENGINE
from flowflare.config.files import API_TOKEN, Project, ProjectFile, read_project_file
from flowflare.config.yaml_nodes import YamlText
from flowflare.engine.pulumi_cli.state import find_cli_store
from flowflare.state.backend import Backend
from flowflare.state.checkpoint import PROVIDER_PREFIX, read_secrets_provider
from flowflare.state.location import open_backend
from flowflare.state.passphrase import Vault, find_passphrase
from flowflare.values.properties import Secret, reveal
from flowflare.values.urns import DYNAMIC_PACKAGE

_PROVIDER: Final = PROVIDER_PREFIX + DYNAMIC_PACKAGE


def read_deployed_project(root: Path, stack: str, environ: Mapping[str, str]) -> Project:
    """Read a project with the configuration of one of its stacks, or what its state has of it.

    Args:
        root: the folder of `Pulumi.yaml`.

    Raises:
        ConfigError: the files have problems, or the stack has neither a file nor a state.
        SecretError: the state has a secret token, which cannot be opened.
    """
    shared = read_project_file(root, check=False)
    if shared.stack_file(stack).exists():
        return shared.read_stack(stack)
    values = _find_deployed_values(shared, stack, environ)
    if values is None:
        return shared.read_stack(stack)  # the error that names the stacks which have a file
    text = json.dumps({"config": values})
    return shared.parse_stack(stack, YamlText(f"state of {stack}", text))


def _find_deployed_values(
    shared: ProjectFile, stack: str, environ: Mapping[str, str]
) -> dict[str, str] | None:
    """Return the configuration in a stack's state; None if the stack has no state."""
    own = open_backend(shared, stack, environ)
    if own.exists:
        return {ENGINE: "pulumi", **_read_values(own, shared, environ)}
    store = find_cli_store(shared, environ)
    if store is not None and Backend(store, shared.name, stack).exists:
        return {ENGINE: "pulumi"}
    return None


def _read_values(
    backend: Backend, shared: ProjectFile, environ: Mapping[str, str]
) -> dict[str, str]:
    raw = backend.load()
    if read_secrets_provider(raw) not in ("", "passphrase"):
        return {}  # a stack of the Pulumi CLI
    passphrase = find_passphrase(shared.root / ".flowflare", environ, make=False)
    deployment = backend.read(raw, Vault(passphrase, backend.read_salt(raw)))
    records = (record for record in deployment.resources if record.type == _PROVIDER)
    return {
        key: text
        for record in records
        for key, value in record.inputs.items()
        if ":" in key and (key == API_TOKEN or not isinstance(value, Secret))
        if isinstance(text := reveal(value), str)
    }
