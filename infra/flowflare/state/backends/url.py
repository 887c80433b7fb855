"""Read the URL of a bucket in Pulumi's format: the bucket, a prefix, and options.

The options are those of gocloud.dev's `s3blob`, `gcsblob` and `azureblob`, which Pulumi's
backends use. Unknown options are refused, because a misspelt endpoint would select another store.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from flowflare.errors import StateError

_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True)
class UrlOptions:
    """The options that a scheme's URLs may have.

    Attributes:
        switches: options with true or false as value.
        same: other spellings of these options.
        ignored: options of the Go library that have no effect here.
        example: a URL to copy.
        hint: an extra sentence for the error about an unknown option.
    """

    texts: Collection[str]
    switches: Collection[str]
    example: str
    same: Mapping[str, str] = field(default_factory=dict)
    ignored: Collection[str] = ()
    hint: str = ""


@dataclass(frozen=True)
class BucketUrl:
    """The parts of a URL.

    Attributes:
        bucket: the bucket's name; Azure calls it a container.
        prefix: the prefix of every key, empty or with a `/` at the end.
        texts: the options with a string, sorted.
        switches: the options that are on.
    """

    scheme: str
    bucket: str
    prefix: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    switches: frozenset[str] = frozenset()

    @property
    def public_url(self) -> str:
        """The URL without its options."""
        return f"{self.scheme}://{self.bucket}/{self.prefix}".rstrip("/")

    def text(self, name: str) -> str:
        """Return the value of an option, empty if the URL does not have it."""
        return dict(self.texts).get(name, "")


def read_bucket_url(url: str, known: UrlOptions) -> BucketUrl:
    """Parse a URL.

    Args:
        url: `SCHEME://BUCKET[/PREFIX][?OPTIONS]`.
        known: the options that it may have.

    Raises:
        StateError: the bucket is missing, or an option is unknown or has an invalid value.
    """
    parts = urlsplit(url)
    bucket = parts.netloc.rpartition("@")[2]
    place = f"{parts.scheme}://{bucket}"
    if not bucket:
        raise StateError(f"{place} does not name a bucket", remedy=f"Write {known.example}.")
    texts: dict[str, str] = {}
    switches: dict[str, bool] = {}
    for written, value in parse_qsl(parts.query, keep_blank_values=True):
        name = known.same.get(written, written)
        if name in known.texts:
            texts[name] = value
        elif name in known.switches:
            switches[name] = _switch(place, written, value)
        elif name not in known.ignored:
            names = ", ".join(sorted({*known.texts, *known.switches, *known.same}))
            remedy = f"Known options: {names}. {known.hint}".rstrip()
            raise StateError(f"{place}: {written!r} is not a known option", remedy=remedy)
    prefix = unquote(parts.path).strip("/")
    return BucketUrl(
        scheme=parts.scheme,
        bucket=bucket,
        prefix=f"{prefix}/" if prefix else "",
        texts=tuple(sorted((name, value) for name, value in texts.items() if value)),
        switches=frozenset(name for name, is_on in switches.items() if is_on),
    )


def _switch(place: str, name: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise StateError(
            f"{place}: {name}={value} is neither true nor false",
            remedy=f"Write {name}=true or {name}=false.",
        )
    return value in _TRUE
