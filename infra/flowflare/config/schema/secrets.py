"""Where the value of a secret comes from, as people write it; never the value in plain text.

A `secure:` value of Pulumi's arrives here as `{"secure": text}`, whoever reads the configuration:
the text is the value inside a program and the ciphertext outside of one.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from flowflare.model.written import Written, refusal

_FORMS = "secure, environment, file, awsSecretsManager, awsParameter and generated"


def _environment_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        # It is not repeated: who writes something else here may have written the secret.
        remedy = "Name the variable that holds the value, for example SHOP_TOKEN."
        raise refusal("is no name of an environment variable", remedy)
    return value


_EnvironmentName = Annotated[str, AfterValidator(_environment_name)]


class SecureSecret(Written):
    """A secret that Pulumi's configuration holds, encrypted."""

    secure: str = Field(repr=False, description="What `pulumi config set --secret --path` writes.")


class EnvironmentSecret(Written):
    """A secret out of the environment of whoever runs `up`."""

    environment: _EnvironmentName = Field(
        description="The environment variable that holds the value."
    )


class FileSecret(Written):
    """A secret out of a file."""

    file: Annotated[str, Field(min_length=1)] = Field(
        description="The file whose text is the value, relative to the project's folder."
    )


class AwsSecretsManagerSecret(Written):
    """A secret out of AWS Secrets Manager."""

    aws_secrets_manager: Annotated[str, Field(min_length=1)] = Field(
        alias="awsSecretsManager", description="The name or ARN of a secret in AWS Secrets Manager."
    )
    key: str | None = Field(
        default=None, description="The key of a secret that is a JSON object; all of it without."
    )
    version: str | None = Field(
        default=None, description="The secret's version id; the current version when left out."
    )
    region: str | None = Field(
        default=None, description="The AWS region; that of the environment when left out."
    )


class AwsParameterSecret(Written):
    """A secret out of AWS Systems Manager's Parameter Store."""

    aws_parameter: Annotated[str, Field(min_length=1)] = Field(
        alias="awsParameter", description="The name or ARN of a parameter in the Parameter Store."
    )
    version: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The parameter's version; the newest when left out."
    )
    region: str | None = Field(
        default=None, description="The parameter's AWS region; that of the environment without."
    )


class Generation(Written):
    """How a secret is generated."""

    bytes: Annotated[int, Field(ge=16, le=1024)] = Field(
        default=32, description="How many random bytes it has; written in base64url."
    )
    generation: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Another number makes another value."
    )


class GeneratedSecret(Written):
    """A secret that the stack makes by itself, once."""

    generated: Generation = Field(
        description="Random bytes, made when the stack is first brought up; `{}` for 32 of them."
    )


SECRET_FORMS: dict[str, type[Written]] = {
    "secure": SecureSecret,
    "environment": EnvironmentSecret,
    "file": FileSecret,
    "awsSecretsManager": AwsSecretsManagerSecret,
    "awsParameter": AwsParameterSecret,
    "generated": GeneratedSecret,
}

SecretConfig = (
    SecureSecret
    | EnvironmentSecret
    | FileSecret
    | AwsSecretsManagerSecret
    | AwsParameterSecret
    | GeneratedSecret
)


def _not_plain(value: Any) -> Any:
    if isinstance(value, str | int | float):
        remedy = "Encrypt it: pulumi config set --secret --path '<key>'"
        raise refusal("is written in plain text", remedy)
    forms = [name for name in SECRET_FORMS if isinstance(value, dict) and name in value]
    if isinstance(value, dict) and len(forms) != 1:
        remedy = f"A secret's source is one of {_FORMS}."
        raise refusal(f"names {' and '.join(forms) or 'no source'}", remedy)
    return value


def _form(value: Any) -> str:
    found = next((name for name in SECRET_FORMS if isinstance(value, dict) and name in value), None)
    return f"<{found or 'secure'}>"


Secret = Annotated[
    Annotated[SecureSecret, Tag("<secure>")]
    | Annotated[EnvironmentSecret, Tag("<environment>")]
    | Annotated[FileSecret, Tag("<file>")]
    | Annotated[AwsSecretsManagerSecret, Tag("<awsSecretsManager>")]
    | Annotated[AwsParameterSecret, Tag("<awsParameter>")]
    | Annotated[GeneratedSecret, Tag("<generated>")],
    Discriminator(_form),
    BeforeValidator(_not_plain),
]
