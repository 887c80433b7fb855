"""Keys for Web Crypto."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType
from flowflare.model.written import Json, WrittenAsInApi
from flowflare.model.written_secrets import Secret


class SecretKeyBinding(WrittenAsInApi):
    """A `CryptoKey` whose key material the Worker cannot read."""

    type: Literal["secret_key"] = Field(description="A key for Web Crypto.")
    algorithm: Json = Field(description="The algorithm as `crypto.subtle.importKey` takes it.")
    format: Literal["raw", "pkcs8", "spki", "jwk"] = Field(description="The key's format.")
    usages: list[
        Literal[
            "encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey",
            "unwrapKey",
        ]
    ] = Field(description="What the key may be used for.")  # fmt: skip
    key_base64: Secret | None = Field(
        default=None,
        description="The source of the key in base64, for the formats raw, pkcs8 and spki.",
    )
    key_jwk: Secret | None = Field(
        default=None, description="The source of the key as a JSON Web Key, for the format jwk."
    )


BINDING = BindingType("secret_key", SecretKeyBinding, json_texts=("algorithm",))
