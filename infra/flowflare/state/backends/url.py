"""Reads the URL of a bucket as Pulumi spells it: the bucket, a prefix, and options.

The options are those of gocloud.dev's `s3blob`, `gcsblob` and `azureblob`, on which Pulumi's
backends stand. An option that is not known is refused: a misspelt endpoint would lead to another
store.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from flowflare.errors import StateError

_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True)
class Options:
    """The options that a scheme's URLs may have.

    Attributes:
        texts: options whose value is a text.
        switches: options whose value is yes or no.
        same: other spellings of these options.
        ignored: options of the Go library, which change nothing here.
        example: a URL to copy.
        hint: one more sentence for a reader whose option is not known.
    """

    texts: Collection[str]
    switches: Collection[str]
    example: str
    same: Mapping[str, str] = field(default_factory=dict)
    ignored: Collection[str] = ()
    hint: str = ""


@dataclass(frozen=True)
class BucketUrl:
    """What a URL says.

    Attributes:
        scheme: the scheme.
        bucket: the bucket's name; Azure calls it a container.
        prefix: what every key begins with, empty or ending in `/`.
        texts: the options with a text, sorted.
        switches: the options that are on.
    """

    scheme: str
    bucket: str
    prefix: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    switches: frozenset[str] = frozenset()

    @property
    def shown(self) -> str:
        """The URL without its options."""
        return f"{self.scheme}://{self.bucket}/{self.prefix}".rstrip("/")

    def text(self, name: str) -> str:
        """The value of an option, empty if the URL does not have it."""
        return dict(self.texts).get(name, "")


def read_bucket_url(url: str, known: Options) -> BucketUrl:
    """Reads a URL.

    Args:
        url: `SCHEME://BUCKET[/PREFIX][?OPTIONS]`.
        known: the options that it may have.

    Raises:
        StateError: it names no bucket, or an option is not known or is no value of its kind.
    """
    parts = urlsplit(url)
    bucket = parts.netloc.rpartition("@")[2]
    place = f"{parts.scheme}://{bucket}"
    if not bucket:
        raise StateError(f"{place} names no bucket", remedy=f"Write {known.example}.")
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
            remedy = f"Known are: {names}. {known.hint}".rstrip()
            raise StateError(f"{place}: {written!r} is no option of a bucket", remedy=remedy)
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
            f"{place}: {name}={value} says neither yes nor no",
            remedy=f"Write {name}=true or {name}=false.",
        )
    return value in _TRUE
