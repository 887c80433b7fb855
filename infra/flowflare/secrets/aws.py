"""Secrets out of AWS Secrets Manager and out of Systems Manager's Parameter Store.

Credentials, region and endpoint are those of every AWS program: `AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL` and so on. The version that a secret has now is asked for without its value.
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
_MAKING = threading.Lock()
_CREDENTIALS = (
    "Log in as for the AWS CLI: AWS_PROFILE, `aws sso login`, or AWS_ACCESS_KEY_ID with "
    "AWS_SECRET_ACCESS_KEY."
)
# What AWS answers, in words: what is wrong, what to do.
_ANSWERS = {
    "ResourceNotFoundException": (
        "is not there, or not in this version",
        "Look at its name, region and account: aws secretsmanager list-secrets",
    ),
    "ParameterNotFound": (
        "is not there",
        "Look at its name, region and account: aws ssm describe-parameters",
    ),
    "ParameterVersionNotFound": (
        "has no such version",
        "Leave `version` out for the newest, or see: aws ssm get-parameter-history",
    ),
    "AccessDeniedException": (
        "may not be read with these credentials",
        "Allow secretsmanager:DescribeSecret and secretsmanager:GetSecretValue, or "
        "ssm:GetParameter, and kms:Decrypt on its key.",
    ),
    "DecryptionFailure": ("cannot be decrypted", "Allow kms:Decrypt on its key."),
    "InvalidKeyId": ("cannot be decrypted", "Allow kms:Decrypt on its key."),
    "InvalidRequestException": (
        "cannot be read as it is now",
        "If it is marked for deletion: aws secretsmanager restore-secret",
    ),
    "UnrecognizedClientException": ("was asked for with unknown credentials", _CREDENTIALS),
    "InvalidClientTokenId": ("was asked for with unknown credentials", _CREDENTIALS),
    "InvalidSignatureException": ("was asked for with a wrong secret key", _CREDENTIALS),
    "ExpiredTokenException": ("was asked for with credentials that have expired", _CREDENTIALS),
}


def current_version(source: AwsSecretSource | AwsParameterSource) -> str:
    """The version that the source names, or the current one; the value stays where it is.

    Raises:
        SecretError: AWS cannot be asked, or the secret is not there.
    """
    if source.version is not None:
        return str(source.version)
    with _in_words(source):
        if isinstance(source, AwsParameterSource):
            answer = _client("ssm", source.region).get_parameter(Name=source.name)
            return str(answer["Parameter"]["Version"])
        answer = _client("secretsmanager", source.region).describe_secret(SecretId=source.secret_id)
    stages: dict[str, list[str]] = answer.get("VersionIdsToStages") or {}
    current = [version for version, names in stages.items() if _CURRENT in names]
    if not current:
        remedy = f"Give it one: aws secretsmanager put-secret-value --secret-id {source.secret_id}"
        raise SecretError(f"{source} has no value yet", remedy=remedy)
    return current[0]


def read_aws(source: AwsSecretSource | AwsParameterSource, version: str) -> bytes:
    """The bytes of one version.

    Args:
        source: which secret or parameter.
        version: as `current_version` says.

    Raises:
        SecretError: AWS cannot be asked, the version is not there, or the JSON key is missing.
    """
    if isinstance(source, AwsParameterSource):
        with _in_words(source):
            name = f"{source.name}:{version}"
            client = _client("ssm", source.region)
            answer = client.get_parameter(Name=name, WithDecryption=True)
        text: str = answer["Parameter"]["Value"]
        return text.encode()
    with _in_words(source):
        client = _client("secretsmanager", source.region)
        answer = client.get_secret_value(SecretId=source.secret_id, VersionId=version)
    binary: bytes | None = answer.get("SecretBinary")
    data = binary if binary is not None else answer["SecretString"].encode()
    return data if source.key is None else _member(data, source, source.key)


def _member(data: bytes, source: AwsSecretSource, key: str) -> bytes:
    whole = AwsSecretSource(secret_id=source.secret_id)
    remedy = "Store a JSON object, or leave `key` out to take the whole value."
    try:
        document = parse_json(data)
    except ValueError:
        raise SecretError(f"{whole} is no JSON, so it has no key {key}", remedy=remedy) from None
    if not isinstance(document, dict):
        raise SecretError(f"{whole} is no JSON object, so it has no key {key}", remedy=remedy)
    if key not in document:
        remedy = "Add the key to the secret, or name one that it has."
        raise SecretError(f"{whole} has no key {key}", remedy=remedy)
    value = document[key]
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return text.encode()


def _client(service: str, region: str | None) -> Any:
    settings = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    # boto3 knows AWS_DEFAULT_REGION only; every other AWS SDK and CI's log-in actions AWS_REGION.
    with _MAKING:
        return _made_client(service, region or os.environ.get("AWS_REGION"), settings)


@lru_cache(maxsize=16)
def _made_client(service: str, region: str | None, settings: tuple[tuple[str, str], ...]) -> Any:
    """A client, made once for the same surroundings: it costs 0.1 s; threads may share it."""
    import boto3
    from botocore.config import Config

    del settings
    limits = Config(connect_timeout=5, read_timeout=15, retries={"max_attempts": 3})
    return boto3.session.Session().client(service, region_name=region, config=limits)


@contextmanager
def _in_words(source: AwsSecretSource | AwsParameterSource) -> Iterator[None]:
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        wrong, remedy = _ANSWERS.get(code, (f"was refused by AWS with {code}", None))
        raise SecretError(f"{source} {wrong}", remedy=remedy) from None
    except exceptions.NoRegionError:
        remedy = "Set AWS_REGION, or write `region` beside it."
        raise SecretError(f"{source} needs an AWS region", remedy=remedy) from None
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    ) as error:
        message = f"{source} needs AWS credentials: {_sentence(error)}"
        raise SecretError(message, remedy=_CREDENTIALS) from None
    except exceptions.BotoCoreError as error:
        remedy = "Look at the network, AWS_REGION and AWS_ENDPOINT_URL."
        message = f"{source} cannot be asked for: {_sentence(error)}"
        raise SecretError(message, remedy=remedy) from None


def _sentence(error: Exception) -> str:
    return str(error).strip().rstrip(".").replace("\n", " ")
