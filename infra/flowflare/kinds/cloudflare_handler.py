"""What handlers of Cloudflare's resources share: comparing inputs, deleting what may be gone."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, cast

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.access import Access, is_gone
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.kinds.spelling import picked, without_none
from flowflare.values.properties import Props, changed_keys


class CloudflareHandler(ABC):
    """A kind of Cloudflare resource: its inputs are compared, and a few of them replace it.

    Args:
        access: the API.
    """

    required: ClassVar[tuple[str, ...]] = ()
    """Inputs that must be there."""
    replace_keys: ClassVar[tuple[str, ...]] = ()
    """Inputs that can only change by a replacement."""
    identity: ClassVar[tuple[str, ...]] = ()
    """Inputs of which no two resources may have the same: a replacement that keeps them must
    delete first."""
    volatile: ClassVar[tuple[str, ...]] = ()
    """Outputs that an update changes."""
    unserved: ClassVar[tuple[str, ...]] = ()
    """Inputs of the real provider that are refused here."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def check(self, old: Props, new: Props) -> Props:
        """Drops empty keys and names what is missing or not served."""
        del old
        inputs = cast("Props", without_none(new))
        problems = [f"{key} is missing" for key in self.required if key not in inputs]
        problems += [
            f"{key} is not served by the embedded engine" for key in self.unserved if key in inputs
        ]
        problems += self.mistakes(inputs)
        if problems:
            raise EngineError("; ".join(problems))
        return inputs

    def mistakes(self, inputs: Props) -> list[str]:
        """What else is wrong with the inputs."""
        del inputs
        return []

    def diff(self, old: Existing, new: Props) -> Diff:
        """Compares inputs with inputs."""
        changed = changed_keys(old.inputs, new)
        replaces = tuple(key for key in self.replace_keys if key in changed)
        first = bool(replaces) and not any(key in changed for key in self.identity)
        return Diff(bool(changed), replaces, first)

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """The inputs; of an update the other outputs as well, but for those that it changes."""
        before = old.outputs if old else {}
        kept = {key: value for key, value in before.items() if key not in self.volatile}
        dropped = (old.inputs.keys() - new.keys()) if old else set()
        return {**{key: kept[key] for key in kept if key not in dropped}, **new}

    @abstractmethod
    def create(self, new: Props) -> Made:
        """Makes the resource."""

    @abstractmethod
    def update(self, old: Existing, new: Props) -> Props:
        """Changes the resource and returns all of its outputs."""

    @abstractmethod
    def delete(self, old: Existing) -> None:
        """Removes the resource; one that is already gone is a success."""

    @abstractmethod
    def look_up(self, known: Props) -> Props:
        """Asks the API for the resource.

        Raises:
            ApiError: it is gone, or the API does not answer.
        """

    @abstractmethod
    def id_of(self, known: Props) -> str:
        """The id of the resource that these properties name."""

    def terraform_id(self, id_: str, outputs: Props) -> str | None:
        """Return Terraform's `id`: Pulumi's ID, unless the plugin makes one; None without one."""
        del outputs
        return id_

    def read(self, old: Existing) -> Made | None:
        """Looks it up."""
        try:
            return Made(old.id, self.look_up({**old.inputs, **old.outputs}))
        except ApiError as error:
            if is_gone(error):
                return None
            raise

    def recover(self, new: Props) -> Made | None:
        """A PUT that was cut off is sent again: what it made has the name that the inputs say."""
        return Made(self.id_of(new), new, certain=False)

    def delete_at(self, path: str, *, query: dict[str, str] | None = None) -> None:
        """Sends a DELETE; what is already gone is a success."""
        try:
            self.access.client.call("DELETE", path, query=query)
        except ApiError as error:
            if not is_gone(error):
                raise


class KnownById(CloudflareHandler):
    """A kind that Cloudflare tells by an id which it gave, and which no input or output holds."""

    attributes: ClassVar[tuple[str, ...]] = ()
    """What of Cloudflare's answers becomes outputs."""

    @abstractmethod
    def path(self, known: Props) -> str:
        """Where its kind is listed."""

    def made(self, new: Props, answer: Any) -> Made:
        """What was made, from Cloudflare's answer."""
        return Made(str(answer["id"]), {**picked(answer, self.attributes), **new})

    def delete(self, old: Existing) -> None:
        """Removes it by its id; one that is already gone is a success."""
        self.delete_at(f"{self.path(old.inputs or old.outputs)}/{old.id}")

    def read(self, old: Existing) -> Made | None:
        """Looks it up by its id."""
        return super().read(Existing(old.id, {**old.inputs, "id": old.id}, old.outputs))

    def look_up(self, known: Props) -> Props:
        """Asks for it by its id."""
        answer = self.access.client.call("GET", f"{self.path(known)}/{known['id']}")
        kept = {key: value for key, value in known.items() if key != "id"}
        return {**kept, **picked(answer, self.attributes)}

    def id_of(self, known: Props) -> str:
        """The id that Cloudflare gave it."""
        return str(known["id"])
