"""Secret strings in a Worker's `env`."""

from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.bindings.binding import Binding, BindingValues
from flowflare.kinds.bindings.contract import BindingType
from flowflare.model.secret_sources import SecretSource
from flowflare.model.written import WrittenAsInApi
from flowflare.model.written_secrets import Secret


class SecretTextBinding(WrittenAsInApi):
    """A secret text; `secrets` are shorter."""

    type: Literal["secret_text"] = Field(description="A secret text.")
    text: Secret = Field(description="The source of the secret, as in `secrets`.")


class ApiKeyBinding(Binding):
    """The stack's API key: the one in use, or another generation."""

    generation: int | None = Field(default=None, exclude=True)
    type: Literal["secret_text"] = "secret_text"

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the API key."""
        return {"text": values.api_keys[self.generation]}


class SecretBinding(Binding):
    """A secret of a client."""

    source: SecretSource = Field(exclude=True)
    type: Literal["secret_text"] = "secret_text"

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the secret."""
        return {"text": values.secrets[self.name]}


BINDING = BindingType("secret_text", SecretTextBinding, word="secret")
