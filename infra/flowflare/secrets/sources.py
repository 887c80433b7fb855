"""Read the value of a secret from its source, and detect whether it has changed there."""

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
from flowflare.secrets.fingerprint import fingerprint
from flowflare.secrets.generate import RandomBytes, generate_secret

#: The largest text of a variable or secret, in bytes ("5 KB" on Cloudflare's limits page).
MAX_BYTES = 5 * 1024


@dataclass(frozen=True)
class Place:
    """The folder and the environment that sources are read from.

    Attributes:
        root: the project's folder, where relative paths start.
    """

    root: Path
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """What can be shown of a value without revealing it.

    Attributes:
        fingerprint: the value's fingerprint; None if the value was not read or there is no key yet.
        version: AWS's version ID; None for other sources.
    """

    fingerprint: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Value:
    """A value from its source.

    Attributes:
        text: the value, a secret.
        version: AWS's version ID; None for other sources.
    """

    text: str = field(repr=False)
    version: str | None = None


def look(source: SecretSource, place: Place, *, name: str, key: str | None) -> Seen:
    """Check that a source has a value, and identify the value.

    AWS is asked for the version only, so that a preview needs no permission to read the value.

    Args:
        place: where the source is.
        name: the secret's name, a part of its fingerprint.
        key: the key of fingerprints; None if it is not known yet.

    Raises:
        SecretError: there is no value, or it cannot be a secret of a Worker.
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
    """Fetch the value. Each call generates a new value.

    Args:
        place: where the source is.
        version: AWS's version, by default the current one.
        random_bytes: the source of randomness for generated values.

    Raises:
        SecretError: there is no value, or it cannot be a secret of a Worker.
    """
    if isinstance(source, GeneratedSource):
        return Value(generate_secret(source.bytes, random_bytes=random_bytes))
    if isinstance(source, EnvironmentSource):
        from flowflare.secrets.local import read_variable

        return Value(_decode(source, read_variable(source, place.environ)))
    if isinstance(source, FileSource):
        from flowflare.secrets.local import read_file

        return Value(_decode(source, read_file(source, place.root)))
    if isinstance(source, ConfigSource):
        return Value(_decode(source, source.value.get_secret_value().encode()))
    from flowflare.secrets.aws import current_version, read_aws

    version = version or current_version(source)
    return Value(_decode(source, read_aws(source, version)), version)


def _decode(source: SecretSource, data: bytes) -> str:
    """Decode a value, and refuse what Cloudflare does not accept."""
    if not data:
        remedy = "Set a value, or remove the secret from the client's `secrets`."
        raise SecretError(f"{source} is empty", remedy=remedy)
    if len(data) > MAX_BYTES:
        raise SecretError(
            f"{source} has {len(data):,} bytes; a Worker's secret can have at most {MAX_BYTES:,}",
            remedy="Split it, or store it in a KV namespace, an R2 bucket or the Secrets Store "
            "and bind that.",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        remedy = "Store it as text, for example in base64, and decode it in the Worker."
        raise SecretError(f"{source} is not UTF-8 text", remedy=remedy) from None
