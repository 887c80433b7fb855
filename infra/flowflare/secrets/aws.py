"""Read secrets from AWS Secrets Manager and Systems Manager Parameter Store.

Credentials, region and endpoint are set as for every AWS program: `AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL` and so on. The current version of a secret is requested without its value.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from flowflare.errors import SecretError
from flowflare.model.secret_sources import AwsParameterSource, AwsSecretSource
from flowflare.reading.json_text import parse_json

_CURRENT = "AWSCURRENT"
_CREATING = threading.Lock()
_CREDENTIALS = (
    "Log in as for the AWS CLI: AWS_PROFILE, `aws sso login`, or AWS_ACCESS_KEY_ID with "
    "AWS_SECRET_ACCESS_KEY."
)
# AWS's error codes: what is wrong, and what to do.
_ANSWERS = {
    "ResourceNotFoundException": (
        "does not exist, or not in this version",
        "Check its name, region and account: aws secretsmanager list-secrets",
    ),
    "ParameterNotFound": (
        "does not exist",
        "Check its name, region and account: aws ssm describe-parameters",
    ),
    "ParameterVersionNotFound": (
        "has no such version",
        "Omit `version` to use the newest, or list the versions: aws ssm get-parameter-history",
    ),
    "AccessDeniedException": (
        "cannot be read with these credentials: access denied",
        "Allow secretsmanager:DescribeSecret and secretsmanager:GetSecretValue, or "
        "ssm:GetParameter, and kms:Decrypt on its key.",
    ),
    "DecryptionFailure": ("cannot be decrypted", "Allow kms:Decrypt on its key."),
    "InvalidKeyId": ("cannot be decrypted", "Allow kms:Decrypt on its key."),
    "InvalidRequestException": (
        "cannot be read in its current state",
        "If it is scheduled for deletion, run: aws secretsmanager restore-secret",
    ),
    "UnrecognizedClientException": (
        "cannot be read: AWS does not know the credentials",
        _CREDENTIALS,
    ),
    "InvalidClientTokenId": ("cannot be read: AWS does not know the credentials", _CREDENTIALS),
    "InvalidSignatureException": (
        "cannot be read: the AWS secret access key is wrong",
        _CREDENTIALS,
    ),
    "ExpiredTokenException": ("cannot be read: the AWS credentials have expired", _CREDENTIALS),
}


def current_version(source: AwsSecretSource | AwsParameterSource) -> str:
    """Return the version that the source names, or the current one, without reading the value.

    Raises:
        SecretError: AWS cannot be reached, or the secret does not exist.
    """
    if source.version is not None:
        return str(source.version)
    with _explain_errors(source):
        if isinstance(source, AwsParameterSource):
            answer = _client("ssm", source.region).get_parameter(Name=source.name)
            return str(answer["Parameter"]["Version"])
        answer = _client("secretsmanager", source.region).describe_secret(SecretId=source.secret_id)
    stages: dict[str, list[str]] = answer.get("VersionIdsToStages") or {}
    current = [version for version, names in stages.items() if _CURRENT in names]
    if not current:
        remedy = f"Set it: aws secretsmanager put-secret-value --secret-id {source.secret_id}"
        raise SecretError(f"{source} has no value yet", remedy=remedy)
    return current[0]


def read_aws(source: AwsSecretSource | AwsParameterSource, version: str) -> bytes:
    """Read the bytes of one version.

    Args:
        source: which secret or parameter.
        version: the version, as `current_version` returns it.

    Raises:
        SecretError: AWS cannot be reached, or the version or the JSON key does not exist.
    """
    if isinstance(source, AwsParameterSource):
        with _explain_errors(source):
            name = f"{source.name}:{version}"
            client = _client("ssm", source.region)
            answer = client.get_parameter(Name=name, WithDecryption=True)
        text: str = answer["Parameter"]["Value"]
        return text.encode()
    with _explain_errors(source):
        client = _client("secretsmanager", source.region)
        answer = client.get_secret_value(SecretId=source.secret_id, VersionId=version)
    binary: bytes | None = answer.get("SecretBinary")
    data = binary if binary is not None else answer["SecretString"].encode()
    return data if source.key is None else _read_member(data, source, source.key)


def _read_member(data: bytes, source: AwsSecretSource, key: str) -> bytes:
    whole = AwsSecretSource(secret_id=source.secret_id)
    remedy = "Store a JSON object, or omit `key` to use the whole value."
    try:
        document = parse_json(data)
    except ValueError:
        raise SecretError(f"{whole} is not JSON, so it has no key {key}", remedy=remedy) from None
    if not isinstance(document, dict):
        raise SecretError(f"{whole} is not a JSON object, so it has no key {key}", remedy=remedy)
    if key not in document:
        remedy = "Add the key to the secret, or name one that it has."
        raise SecretError(f"{whole} has no key {key}", remedy=remedy)
    value = document[key]
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return text.encode()


def _client(service: str, region: str | None) -> Any:
    settings = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    # boto3 reads AWS_DEFAULT_REGION only. Other AWS SDKs and CI's login actions use AWS_REGION.
    with _CREATING:
        return _new_client(service, region or os.environ.get("AWS_REGION"), settings)


@lru_cache(maxsize=16)
def _new_client(service: str, region: str | None, settings: tuple[tuple[str, str], ...]) -> Any:
    """Create a client, once for equal settings: it costs 0.1 s. Threads may share it."""
    import boto3
    from botocore.config import Config

    del settings
    limits = Config(connect_timeout=5, read_timeout=15, retries={"max_attempts": 3})
    return boto3.session.Session().client(service, region_name=region, config=limits)


@contextmanager
def _explain_errors(source: AwsSecretSource | AwsParameterSource) -> Iterator[None]:
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        wrong, remedy = _ANSWERS.get(code, (f"cannot be read: AWS answered {code}", None))
        raise SecretError(f"{source} {wrong}", remedy=remedy) from None
    except exceptions.NoRegionError:
        remedy = "Set AWS_REGION, or add `region` to the source."
        raise SecretError(f"{source} needs an AWS region", remedy=remedy) from None
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    ) as error:
        message = f"{source} needs AWS credentials: {_format_error(error)}"
        raise SecretError(message, remedy=_CREDENTIALS) from None
    except exceptions.BotoCoreError as error:
        remedy = "Check the network, AWS_REGION and AWS_ENDPOINT_URL."
        message = f"{source} cannot be read from AWS: {_format_error(error)}"
        raise SecretError(message, remedy=remedy) from None


def _format_error(error: Exception) -> str:
    return str(error).strip().rstrip(".").replace("\n", " ")
