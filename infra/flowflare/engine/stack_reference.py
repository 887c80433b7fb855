"""Stack references: the outputs of another stack of the same backend, secrets still secret.

As in Pulumi's own file backend a name is `organization/<project>/<stack>`, or `<stack>` alone for
one of the same project; the record in state is the real engine's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from flowflare.errors import EngineError
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.state.backend import Backend
from flowflare.state.passphrase import Passphrase, Vault, find_passphrase
from flowflare.values.properties import Props, Secret, leaves


class StackReferences:
    """Serves `pulumi:pulumi:StackReference`: it is read, never made.

    Args:
        backend: where the referring stack's state is; those it refers to are beside it.
        root: the referring project's folder.
        environ: the environment, for the passphrase.
    """

    def __init__(self, backend: Backend, root: Path, environ: Mapping[str, str]) -> None:
        self._backend = backend
        self._root = root
        self._environ = environ

    def read(self, old: Existing) -> Made | None:
        """Reads the outputs of the stack that the id names.

        Raises:
            EngineError: there is no such stack, or the name is none.
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
                "organization/<project>/<stack>, and both projects must name one backend: "
                "`backend: url:` in Pulumi.yaml, file://<folder> or s3://<bucket>, or "
                "PULUMI_BACKEND_URL.",
            )
        vault = Vault(self._passphrase(), backend.salt(raw))
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
            f"{name!r} is no name of a stack",
            remedy="Write organization/<project>/<stack>, or <stack> for one of this project.",
        )

    def _passphrase(self) -> Passphrase:
        """The other stack's passphrase: a project's own one lies beside its state."""
        folder = self._root / ".flowflare"
        if self._backend.folder is not None:
            beside = self._backend.folder.parent
            folder = beside if (beside / "passphrase").is_file() else folder
        return find_passphrase(folder, self._environ, make=False)

    def check(self, old: Props, new: Props) -> Props:
        """Takes the inputs as they are."""
        del old
        return new

    def diff(self, old: Existing, new: Props) -> Diff:
        """Never differs: it is read anew in each run."""
        del old, new
        return Diff()

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Foresees what was read before."""
        return {**(old.outputs if old else {}), **new}

    def create(self, new: Props) -> Made:
        """Refuses."""
        del new
        self._refuse()

    def update(self, old: Existing, new: Props) -> Props:
        """Refuses."""
        del old, new
        self._refuse()

    def delete(self, old: Existing) -> None:
        """Has nothing to remove."""
        del old

    def recover(self, new: Props) -> Made | None:
        """Has nothing to find."""
        del new
        return None

    def _refuse(self) -> NoReturn:
        raise EngineError("a stack reference is read, not made")


def _holds_secret(value: object) -> bool:
    return any(isinstance(leaf, Secret) for leaf in leaves(value))
