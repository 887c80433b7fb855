"""Serve stack references: outputs of another stack of the same backend; secrets stay secret.

As in Pulumi's own file backend, a name is `organization/<project>/<stack>`, or `<stack>` for a
stack of the same project. The record in state is the same as the Pulumi CLI writes.
"""

from collections.abc import Mapping
from pathlib import Path

from flowflare.engine.embedded.providers.recorded import Unmade
from flowflare.errors import EngineError
from flowflare.kinds.handler import Existing, Made
from flowflare.state.backend import Backend
from flowflare.state.passphrase import Passphrase, Vault, find_passphrase
from flowflare.values.properties import Props, Secret, leaves


class StackReferences(Unmade):
    """Serves `pulumi:pulumi:StackReference`, which is read and never created.

    Args:
        backend: where the referring stack's state is; the other stacks are in the same store.
    """

    def __init__(self, backend: Backend, root: Path, environ: Mapping[str, str]) -> None:
        self._backend = backend
        self._root = root
        self._environ = environ

    def read(self, old: Existing) -> Made | None:
        """Read the outputs of the stack that the ID names.

        Raises:
            EngineError: there is no such stack, or the name is not a valid stack name.
            StateError: its state cannot be read.
        """
        name = old.id
        outputs = self._outputs(name)
        secret = [key for key, value in sorted(outputs.items()) if _holds_secret(value)]
        return Made(name, {"name": name, "outputs": outputs, "secretOutputNames": secret})

    def _outputs(self, name: str) -> Props:
        backend = self._find(name)
        raw = backend.load()
        if raw is None:
            raise EngineError(
                f"there is no stack {backend.full_name} in {backend.place}",
                remedy="Bring it up first. A stack of another project is named "
                "organization/<project>/<stack>, and both projects must use the same backend: "
                "`backend: url:` in Pulumi.yaml, file://<folder> or s3://<bucket>, or "
                "PULUMI_BACKEND_URL.",
            )
        vault = Vault(self._passphrase(), backend.read_salt(raw))
        stack = backend.read(raw, vault).stack
        return dict(stack.outputs) if stack else {}

    def _find(self, name: str) -> Backend:
        own = self._backend
        match name.split("/"):
            case [stack] if stack:
                return Backend(own.store, own.project, stack)
            case ["organization", stack] if stack:
                return Backend(own.store, own.project, stack)
            case ["organization", project, stack] if project and stack:
                return Backend(own.store, project, stack)
        raise EngineError(
            f"{name!r} is not the name of a stack",
            remedy="Write organization/<project>/<stack>, or <stack> for one of this project.",
        )

    def _passphrase(self) -> Passphrase:
        """Find the other stack's passphrase: a generated one is stored beside its state."""
        folder = self._root / ".flowflare"
        if self._backend.folder is not None:
            beside = self._backend.folder.parent
            folder = beside if (beside / "passphrase").is_file() else folder
        return find_passphrase(folder, self._environ, make=False)

    def make_refusal(self) -> EngineError:
        """Make the error of creating or updating a stack reference."""
        return EngineError("a stack reference can be read, but not created")


def _holds_secret(value: object) -> bool:
    return any(isinstance(leaf, Secret) for leaf in leaves(value))
