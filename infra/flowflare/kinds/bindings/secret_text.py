"""Secret texts in a Worker's `env`."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType
from flowflare.model.written import Written
from flowflare.model.written_secrets import Secret


class SecretTextBinding(Written):
    """A secret text; `secrets` are shorter."""

    type: Literal["secret_text"] = Field(description="A secret text.")
    text: Secret = Field(description="The source of the secret, as in `secrets`.")


BINDING = BindingType("secret_text", SecretTextBinding, word="secret")
