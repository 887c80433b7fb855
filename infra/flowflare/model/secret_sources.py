"""Model the sources of secret values. Only a decrypted configuration secret has its value.

A source is passed to the dynamic provider as a mapping (`to_wire`), which is in plain text in every
state and plan. So it does not contain the value of a configuration secret, which is passed
separately as a secret.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, TypeAdapter

from flowflare.model.frozen import Frozen


class ConfigSource(Frozen):
    """A secret of Pulumi's configuration, already decrypted."""

    kind: Literal["configuration"] = "configuration"
    value: SecretStr = Field(default=SecretStr(""), description="The value; never printed.")

    def __str__(self) -> str:
        return "Pulumi's configuration"


class EnvironmentSource(Frozen):
    """A variable in the environment of the process that runs `up`."""

    kind: Literal["environment"] = "environment"
    variable: str = Field(description="The variable's name.")

    def __str__(self) -> str:
        return f"environment variable {self.variable}"


class FileSource(Frozen):
    """A file whose text is the value, without one trailing line break."""

    kind: Literal["file"] = "file"
    path: str = Field(description="Relative to the project's folder, or absolute.")

    def __str__(self) -> str:
        return f"file {self.path}"


class AwsSecretSource(Frozen):
    """A secret of AWS Secrets Manager."""

    kind: Literal["awsSecretsManager"] = "awsSecretsManager"
    secret_id: str = Field(description="The secret's name or ARN.")
    key: str | None = Field(default=None, description="The key of a secret that is a JSON object.")
    version: str | None = Field(default=None, description="A version ID; None for AWSCURRENT.")
    region: str | None = Field(default=None, description="The region; None for the environment's.")

    def __str__(self) -> str:
        return f"AWS secret {self.secret_id}" + (f", key {self.key}" if self.key else "")


class AwsParameterSource(Frozen):
    """A parameter of AWS Systems Manager's Parameter Store."""

    kind: Literal["awsParameter"] = "awsParameter"
    name: str = Field(description="The parameter's name or ARN.")
    version: int | None = Field(default=None, description="A version; None for the newest.")
    region: str | None = Field(default=None, description="The region; None for the environment's.")

    def __str__(self) -> str:
        return f"AWS parameter {self.name}"


class GeneratedSource(Frozen):
    """Random bytes that the stack generates once, as base64url."""

    kind: Literal["generated"] = "generated"
    bytes: int = Field(default=32, description="The number of random bytes.")
    generation: int = Field(default=1, description="Another number generates another value.")

    def __str__(self) -> str:
        return f"generated, generation {self.generation}"


SecretSource = Annotated[
    ConfigSource
    | EnvironmentSource
    | FileSource
    | AwsSecretSource
    | AwsParameterSource
    | GeneratedSource,
    Field(discriminator="kind"),
]

_SOURCES: TypeAdapter[SecretSource] = TypeAdapter(SecretSource)


def to_wire(source: SecretSource) -> dict[str, Any]:
    """Convert the source to a mapping for inputs, without any value."""
    return source.model_dump(exclude={"value"}, exclude_none=True)


def from_wire(wire: Mapping[str, Any]) -> SecretSource:
    """Read the source that `to_wire` wrote; its numbers may have become floats."""
    return _SOURCES.validate_python(wire)
