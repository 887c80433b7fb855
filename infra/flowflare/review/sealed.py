"""Plans a stack without its passphrase, as far as that can be told: its secrets stay sealed.

One text stands for every secret, in the configuration and in state. So a secret that is only
passed on compares as the same, which is right where none of them was set anew since the last `up`.
A plan in which a secret seems to differ all the same is worth nothing, and is not returned.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowflare.engine.contract import find_backend
from flowflare.engine.plan_over import plan_over
from flowflare.errors import FlowflareError
from flowflare.secrets.fingerprint import SEALED
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.events import Change, Plan

if TYPE_CHECKING:
    from flowflare.config.files import Project

_SECRET = "[secret]"  # noqa: S105 -- what stands for one


def plan_sealed(
    project: "Project", environ: Mapping[str, str], *, same_secrets: bool
) -> Plan | None:
    """What an `up` would do, told without opening a secret.

    Args:
        project: the project seen through the stack.
        environ: the environment; needs no passphrase.
        same_secrets: whether all secrets, and the program that passes them on, are those of the
            last `up`, which was done whole. Where not, only a stack without resources can be told.

    Returns:
        The plan; None where it takes the secrets to tell, or where something is wrong, which the
        plan with secrets says better.
    """
    try:
        backend = find_backend(project, environ)
        deployment = backend.read(backend.load(), _Closed()) if backend else None
        if deployment is None or (deployment.resources and not same_secrets):
            return None
        plan = plan_over(project, deployment, environ, vault=_Closed())
    except FlowflareError:
        return None
    changes = (change for step in plan.steps for change in step.changes)
    return None if plan.failures or any(map(_doubtful, changes)) else plan


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
