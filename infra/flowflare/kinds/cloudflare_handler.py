"""The common part of the handlers of Cloudflare's resources."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, cast

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.access import Access, is_gone
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.kinds.spelling import pick_attributes, without_none
from flowflare.values.properties import Props, changed_keys


class CloudflareHandler(ABC):
    """The handler of a kind of Cloudflare resource, which compares its inputs."""

    required: ClassVar[tuple[str, ...]] = ()
    """Required inputs."""
    replace_keys: ClassVar[tuple[str, ...]] = ()
    """Inputs whose change replaces the resource."""
    identity: ClassVar[tuple[str, ...]] = ()
    """Inputs that are unique in an account: a replacement that keeps them must delete the old
    resource first."""
    volatile: ClassVar[tuple[str, ...]] = ()
    """Outputs that an update changes."""
    unserved: ClassVar[tuple[str, ...]] = ()
    """Inputs of Cloudflare's provider that this engine refuses."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def check(self, old: Props, new: Props) -> Props:
        """Remove null values; refuse missing and unsupported inputs."""
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
        """List the other mistakes in the inputs."""
        del inputs
        return []

    def diff(self, old: Existing, new: Props) -> Diff:
        """Compare the inputs in state with the new inputs."""
        changed = changed_keys(old.inputs, new)
        replaces = tuple(key for key in self.replace_keys if key in changed)
        first = bool(replaces) and not any(key in changed for key in self.identity)
        return Diff(bool(changed), replaces, first)

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Return the inputs and, for an update, the outputs that it does not change."""
        before = old.outputs if old else {}
        kept = {key: value for key, value in before.items() if key not in self.volatile}
        dropped = (old.inputs.keys() - new.keys()) if old else set()
        return {**{key: kept[key] for key in kept if key not in dropped}, **new}

    @abstractmethod
    def create(self, new: Props) -> Made:
        """Create the resource."""

    @abstractmethod
    def update(self, old: Existing, new: Props) -> Props:
        """Change the resource; return all of its outputs."""

    @abstractmethod
    def delete(self, old: Existing) -> None:
        """Delete the resource; a resource that does not exist is a success."""

    @abstractmethod
    def look_up(self, known: Props) -> Props:
        """Read the resource from the API.

        Raises:
            ApiError: the resource does not exist, or the API does not answer.
        """

    @abstractmethod
    def id_of(self, known: Props) -> str:
        """Return the ID of the resource that these properties name."""

    def terraform_id(self, id_: str, outputs: Props) -> str | None:
        """Return Terraform's `id`: Pulumi's ID, unless the plugin uses another one or none."""
        del outputs
        return id_

    def read(self, old: Existing) -> Made | None:
        """Read the resource; None if it does not exist."""
        try:
            return Made(old.id, self.look_up({**old.inputs, **old.outputs}))
        except ApiError as error:
            if is_gone(error):
                return None
            raise

    def recover(self, new: Props) -> Made | None:
        """Return a resource that the engine updates: an interrupted PUT is sent again."""
        return Made(self.id_of(new), new, certain=False)

    def find_at(self, path: str) -> Any:
        """Send a GET; return None for a resource that does not exist."""
        try:
            return self.access.client.call("GET", path)
        except ApiError as error:
            if is_gone(error):
                return None
            raise

    def delete_at(self, path: str, *, query: dict[str, str] | None = None) -> None:
        """Send a DELETE; a resource that does not exist is a success."""
        try:
            self.access.client.call("DELETE", path, query=query)
        except ApiError as error:
            if not is_gone(error):
                raise


class KnownById(CloudflareHandler):
    """The handler of a kind that Cloudflare identifies by a generated ID.

    No input or output has this ID.
    """

    attributes: ClassVar[tuple[str, ...]] = ()
    """The attributes of Cloudflare's responses that become outputs."""

    @abstractmethod
    def path(self, known: Props) -> str:
        """Return the path of the list of its kind."""

    def parse_answer(self, new: Props, answer: Any) -> Made:
        """Return the resource that Cloudflare's response describes."""
        return Made(str(answer["id"]), {**pick_attributes(answer, self.attributes), **new})

    def delete(self, old: Existing) -> None:
        """Delete the resource by its ID; one that does not exist is a success."""
        self.delete_at(f"{self.path(old.inputs or old.outputs)}/{old.id}")

    def read(self, old: Existing) -> Made | None:
        """Read the resource by its ID."""
        return super().read(Existing(old.id, {**old.inputs, "id": old.id}, old.outputs))

    def look_up(self, known: Props) -> Props:
        """Read the resource from the API by its ID."""
        answer = self.access.client.call("GET", f"{self.path(known)}/{known['id']}")
        kept = {key: value for key, value in known.items() if key != "id"}
        return {**kept, **pick_attributes(answer, self.attributes)}

    def id_of(self, known: Props) -> str:
        """Return the ID that Cloudflare generated."""
        return str(known["id"])
