"""Finds the value of a secret at its source, and whether it has changed there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flowflare.errors import SecretError
from flowflare.model.secret_sources import (
    AwsParameterSource,
    AwsSecretSource,
    ConfigSource,
    EnvironmentSource,
    FileSource,
    GeneratedSource,
    SecretSource,
)
from flowflare.redaction.known import learn
from flowflare.secrets.fingerprint import fingerprint
from flowflare.secrets.generate import RandomBytes, generate_secret

#: What Cloudflare takes as the text of a variable or secret, in bytes ("5 KB" of its limits page).
MAX_BYTES = 5 * 1024


@dataclass(frozen=True)
class Place:
    """Where sources are looked for.

    Attributes:
        root: the project's folder, which relative paths start at.
        environ: the environment.
    """

    root: Path
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """What can be told of a source without giving its value away.

    Attributes:
        fingerprint: of the value; None where it was not looked at or there is no key yet.
        version: what AWS calls the version; None elsewhere.
    """

    fingerprint: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Value:
    """A value from its source.

    Attributes:
        text: the value, a secret.
        version: what AWS calls its version; None elsewhere.
    """

    text: str = field(repr=False)
    version: str | None = None


def look(source: SecretSource, place: Place, *, name: str, key: str | None) -> Seen:
    """Looks whether a source has its value, and tells it apart from other values.

    AWS is asked for the version only, so that whoever may not read the value can preview.

    Args:
        source: the source.
        place: where it is looked for.
        name: the secret's name, a part of its fingerprint.
        key: the fingerprints' key; None while it is not known.

    Raises:
        SecretError: the value is not there or cannot be a secret of a Worker.
    """
    if isinstance(source, GeneratedSource):
        return Seen()
    if isinstance(source, AwsSecretSource | AwsParameterSource):
        from flowflare.secrets.aws import current_version

        return Seen(version=current_version(source))
    value = fetch(source, place)
    return Seen(None if key is None else fingerprint(key, name, value.text))


def fetch(
    source: SecretSource,
    place: Place,
    *,
    version: str | None = None,
    random_bytes: RandomBytes | None = None,
) -> Value:
    """Fetches the value; a generated one is made anew with every call.

    Args:
        source: the source.
        place: where it is looked for.
        version: AWS's version, the current one if not given.
        random_bytes: the source of randomness, for generated ones.

    Raises:
        SecretError: the value is not there or cannot be a secret of a Worker.
    """
    value = _fetched(source, place, version, random_bytes)
    learn(value.text)
    return value


def _fetched(
    source: SecretSource, place: Place, version: str | None, random_bytes: RandomBytes | None
) -> Value:
    if isinstance(source, GeneratedSource):
        return Value(generate_secret(source.bytes, random_bytes=random_bytes))
    if isinstance(source, EnvironmentSource):
        from flowflare.secrets.local import read_variable

        return Value(_fit(source, read_variable(source, place.environ)))
    if isinstance(source, FileSource):
        from flowflare.secrets.local import read_file

        return Value(_fit(source, read_file(source, place.root)))
    if isinstance(source, ConfigSource):
        return Value(_fit(source, source.value.get_secret_value().encode()))
    from flowflare.secrets.aws import current_version, read_aws

    version = version or current_version(source)
    return Value(_fit(source, read_aws(source, version)), version)


def _fit(source: SecretSource, data: bytes) -> str:
    """The value as text, if Cloudflare takes it."""
    if not data:
        remedy = "Give it a value, or take the secret out of the client's `secrets`."
        raise SecretError(f"{source} is empty", remedy=remedy)
    if len(data) > MAX_BYTES:
        raise SecretError(
            f"{source} has {len(data):,} bytes, and a secret of a Worker at most {MAX_BYTES:,}",
            remedy="Split it, or keep it in a KV namespace, an R2 bucket or the Secrets Store and "
            "bind that.",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        remedy = "Store it as text, for example in base64, and decode it in the Worker."
        raise SecretError(f"{source} is not UTF-8 text", remedy=remedy) from None
