"""Plan a stack without its passphrase, if that is possible: its secrets stay encrypted.

One placeholder replaces every secret, in the configuration and in state. So a secret that the
program only passes on compares as equal. That is correct if no secret was changed since the last
`up`. A plan in which a secret seems to differ is unreliable, and is not returned.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowflare.engine.contract import find_backend
from flowflare.engine.embedded.plan_over import plan_over
from flowflare.errors import FlowflareError
from flowflare.secrets.fingerprint import SEALED
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.events import Change, Plan

if TYPE_CHECKING:
    from flowflare.config.files import Project

_SECRET = "[secret]"  # noqa: S105 -- a placeholder


def plan_sealed(
    project: "Project", environ: Mapping[str, str], *, same_secrets: bool
) -> Plan | None:
    """Plan `up` without decrypting a secret.

    Args:
        environ: the environment; no passphrase is needed.
        same_secrets: whether all secrets, and the program that uses them, are those of the last
            `up`, and that `up` was complete. If not, only a stack without resources can be planned.

    Returns:
        The plan; None if the secrets are needed, or if something is wrong, which the plan with
        secrets reports better.
    """
    try:
        backend = find_backend(project, environ)
        deployment = backend.read(backend.load(), _PlaceholderVault()) if backend else None
        if deployment is None or (deployment.resources and not same_secrets):
            return None
        plan = plan_over(project, deployment, environ, vault=_PlaceholderVault())
    except FlowflareError:
        return None
    changes = (change for step in plan.steps for change in step.changes)
    return None if plan.failures or any(map(_is_doubtful, changes)) else plan


def _is_doubtful(change: Change) -> bool:
    """Return whether a change may be caused only by a secret, which may not have changed."""
    shown = json.dumps([change.old, change.new], default=str)
    return SEALED in shown or (change.kind == "update" and _SECRET in shown)


class _PlaceholderVault(Vault):
    """Decrypts every secret to the same placeholder."""

    def __init__(self) -> None:
        super().__init__(Passphrase("", "nowhere", lost=True))

    def open(self, ciphertext: str) -> Any:
        """Return the placeholder for a secret of the state."""
        del ciphertext
        return SEALED

    def open_text(self, ciphertext: str) -> str:
        """Return the placeholder for a secret of the configuration."""
        del ciphertext
        return SEALED
