"""Handlers of stores whose names are unique in an account."""

from typing import Any, ClassVar

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.cloudflare_handler import KnownById
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.pages import read_pages
from flowflare.kinds.spelling import pick_attributes, to_api
from flowflare.values.properties import Props


class NamedStore(KnownById):
    """The handler of a store: it is created once, renamed by a PUT, and found by its name."""

    listed_at: ClassVar[str]
    """The path of the account's list, below the account."""
    title: ClassVar[str]
    """The input that is its name; the API spells it in snake_case."""
    name_taken: ClassVar[int]
    """The API's error code for a name that another store has."""
    words: ClassVar[str]
    """Its name in messages."""
    id_key: ClassVar[str] = "id"
    """The field of the API's responses that is its ID."""
    compared: ClassVar[tuple[str, ...]] = ()
    """The inputs, besides its name, that drift and adopt compare with the account."""

    def path(self, known: Props) -> str:
        """Return the path of the account's list."""
        return f"/accounts/{known['accountId']}{self.listed_at}"

    def parse_answer(self, new: Props, answer: Any) -> Made:
        """Return the store that Cloudflare's response describes."""
        return Made(str(answer[self.id_key]), {**pick_attributes(answer, self.attributes), **new})

    def create(self, new: Props) -> Made:
        """Create the store; if the response is lost, find the store by its name.

        Raises:
            EngineError: the account has a store of that name that this stack did not create.
        """
        try:
            answer = self.access.client.call(
                "POST", self.path(new), body=self._body(new), find=lambda: self._find(new)
            )
        except ApiError as error:
            if self.name_taken not in error.codes:
                raise
            found = self._find(new) if error.doubtful else None
            if found is None:
                raise self._make_taken_error(new) from None
            answer = found
        return self.parse_answer(new, answer)

    def update(self, old: Existing, new: Props) -> Props:
        """Change the inputs that can change; an input that is dropped gets Cloudflare's default."""
        answer = self.access.client.call("PUT", f"{self.path(new)}/{old.id}", body=self._body(new))
        dropped = old.inputs.keys() - new.keys()
        kept = {key: value for key, value in old.outputs.items() if key not in dropped}
        return {**kept, **pick_attributes(answer, self.attributes), **new}

    def recover(self, new: Props) -> Made | None:
        """Find the store by its name."""
        found = self._find(new)
        return self.parse_answer(new, found) if found else None

    def _body(self, new: Props) -> Any:
        return to_api({key: value for key, value in new.items() if key != "accountId"})

    def _find(self, new: Props) -> dict[str, Any] | None:
        path, name, key = self.path(new), new[self.title], next(iter(to_api({self.title: ""})))
        rows = read_pages(lambda query: self.access.client.call("GET", path, query=query))
        return next((row for row in rows if row.get(key) == name), None)

    def _make_taken_error(self, new: Props) -> EngineError:
        return EngineError(
            f"the account already has a {self.words} named {new[self.title]!r}, and this stack did "
            "not create it",
            remedy="Set another `name` in the client's binding, or import it: flowflare adopt.",
        )
