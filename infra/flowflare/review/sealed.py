"""Plans a stack without its passphrase, as far as that can be told: its secrets stay sealed.

One text stands for every secret, in the configuration and in state. So a secret that is only
passed on compares as the same, which is right where none of them was set anew since the last `up`.
A plan in which a secret seems to differ all the same is worth nothing, and is not returned.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowflare.engine.configuration import open_configuration
from flowflare.engine.pulumi.recorded import RecordedStack
from flowflare.engine.pulumi.state import find_cli_store
from flowflare.engine.stack import _Opened
from flowflare.errors import FlowflareError
from flowflare.secrets.fingerprint import SEALED
from flowflare.state.checkpoint import Deployment
from flowflare.state.location import backend_of
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.events import Change, Plan

if TYPE_CHECKING:
    from flowflare.config.files import Project

_SECRET = "[secret]"  # noqa: S105 -- what stands for one


def plan_sealed(
    root: Path, project: "Project", environ: Mapping[str, str], *, same_secrets: bool
) -> Plan | None:
    """What an `up` would do, told without opening a secret.

    Args:
        root: the project's folder.
        project: the project seen through the stack.
        environ: the environment; needs no passphrase.
        same_secrets: whether all secrets, and the program that passes them on, are those of the
            last `up`, which was done whole. Where not, only a stack without resources can be told.

    Returns:
        The plan; None where it takes the secrets to tell, or where something is wrong, which the
        plan with secrets says better.
    """
    try:
        deployment = _state(root, project, environ)
        if deployment is None or (deployment.resources and not same_secrets):
            return None
        plan = _Sealed(project, deployment, environ=environ).preview()
    except FlowflareError:
        return None
    changes = (change for step in plan.steps for change in step.changes)
    return None if plan.failures or any(map(_doubtful, changes)) else plan


def _state(root: Path, project: "Project", environ: Mapping[str, str]) -> Deployment | None:
    """The state, if it lies where it can be read without the Pulumi CLI."""
    engine = project.values.get("flowflare:engine")
    is_embedded = engine is not None and engine.text == "embedded"
    if not is_embedded and find_cli_store(root, environ) is None:
        return None
    backend = backend_of(root, project.name, project.stack, environ)
    return backend.read(backend.load(), _Closed())


def _doubtful(change: Change) -> bool:
    """Whether a change may be none: a secret in it may be the same as the other."""
    shown = json.dumps([change.old, change.new], default=str)
    return SEALED in shown or (change.kind == "update" and _SECRET in shown)


class _Closed(Vault):
    """Opens every secret to the same text."""

    def __init__(self) -> None:
        super().__init__(Passphrase("", "nowhere", lost=True))

    def open(self, ciphertext: str) -> Any:
        """What stands for a secret of the state."""
        del ciphertext
        return SEALED

    def open_text(self, ciphertext: str) -> str:
        """What stands for a secret of the configuration."""
        del ciphertext
        return SEALED


class _Sealed(RecordedStack):
    """A stack whose secrets stay sealed."""

    def _open(self, *, check: bool = False) -> _Opened:
        del check
        project, vault = self.project, _Closed()
        backend = backend_of(project.root, project.name, project.stack, self._environ)
        # Its configuration may have secrets without a salt: nothing is opened.
        return _Opened(backend, self._deployment, vault, open_configuration(project, vault))
