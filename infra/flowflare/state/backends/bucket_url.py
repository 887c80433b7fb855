"""Reads `s3://` URLs as Pulumi spells them: the bucket, a prefix, and options.

The options are those of gocloud.dev's `s3blob`, on which Pulumi's backend stands. One that is not
known is refused, as there: a misspelt endpoint would lead to another store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from flowflare.errors import StateError

_SAME_OPTIONS: Final = {
    "s3ForcePathStyle": "use_path_style",
    "disableSSL": "disable_https",
    "sseType": "ssetype",
    "kmsKeyId": "kmskeyid",
}
_SWITCHES: Final = frozenset({"use_path_style", "disable_https", "dualstack", "fips", "accelerate"})
_CHECKSUMS: Final = ("request_checksum_calculation", "response_checksum_validation")
_TEXTS: Final = frozenset({"region", "endpoint", "profile", "ssetype", "kmskeyid", *_CHECKSUMS})
# Of the Go library alone; they change nothing here.
_IGNORED: Final = frozenset({"awssdk", "hostname_immutable", "rate_limiter_capacity"})
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True)
class BucketUrl:
    """A bucket and how it is reached; absent options are empty.

    Attributes:
        bucket: its name.
        prefix: what every key begins with, empty or ending in `/`.
        endpoint: the address of a store that is not AWS's, with its scheme.
        region: its region; R2's is `auto`.
        profile: the profile of the AWS configuration whose credentials are used.
        path_style: whether the bucket's name goes into the path and not into the host's name.
        ssetype, kmskeyid: how the store is to encrypt what is written, and with which key.
        dualstack, fips, accelerate: AWS's other endpoints.
        request_checksum_calculation, response_checksum_validation: the AWS SDKs' settings.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    profile: str = ""
    path_style: bool = False
    ssetype: str = ""
    kmskeyid: str = ""
    dualstack: bool = False
    fips: bool = False
    accelerate: bool = False
    request_checksum_calculation: str = ""
    response_checksum_validation: str = ""

    @property
    def shown(self) -> str:
        """The URL without its options."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def read_bucket_url(url: str, environ: Mapping[str, str]) -> BucketUrl:
    """Reads a URL.

    Args:
        url: `s3://BUCKET[/PREFIX][?OPTIONS]`.
        environ: the environment: region, endpoint and profile where the URL does not say
            them.

    Raises:
        StateError: it names no bucket, or an option is not known or is no value of its kind.
    """
    parts = urlsplit(url)
    bucket = parts.netloc.rpartition("@")[2]
    if parts.scheme != "s3" or not bucket:
        raise StateError(
            f"{parts.scheme}://{bucket} names no bucket", remedy="Write s3://BUCKET?region=REGION."
        )
    texts, switches = _options(parts.query, bucket)

    def text(name: str, *variables: str) -> str:
        said = [texts.get(name), *map(environ.get, variables)]
        return next((one for one in said if one), "")

    def switch(name: str) -> bool:
        return switches.get(name, False)

    prefix = unquote(parts.path).strip("/")
    endpoint = text("endpoint", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    return BucketUrl(
        bucket=bucket,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=_address(endpoint, secure=not switch("disable_https")),
        region=text("region", "AWS_REGION", "AWS_DEFAULT_REGION"),
        # Keys in the environment go before its profile, and the URL's profile before both.
        profile=text("profile", *(() if environ.get("AWS_ACCESS_KEY_ID") else ("AWS_PROFILE",))),
        path_style=switch("use_path_style"),
        ssetype=text("ssetype"),
        kmskeyid=text("kmskeyid"),
        dualstack=switch("dualstack"),
        fips=switch("fips"),
        accelerate=switch("accelerate"),
        request_checksum_calculation=text("request_checksum_calculation"),
        response_checksum_validation=text("response_checksum_validation"),
    )


def _options(query: str, bucket: str) -> tuple[dict[str, str], dict[str, bool]]:
    texts: dict[str, str] = {}
    switches: dict[str, bool] = {}
    for written, value in parse_qsl(query, keep_blank_values=True):
        name = _SAME_OPTIONS.get(written, written)
        if name in _TEXTS:
            texts[name] = value
        elif name in _SWITCHES:
            switches[name] = _switch(written, value, bucket)
        elif name not in _IGNORED:
            raise StateError(
                f"s3://{bucket}: {written!r} is no option of a bucket",
                remedy=f"Known are: {', '.join(sorted(_TEXTS | _SWITCHES | {*_SAME_OPTIONS}))}. "
                "A role is best named in a profile.",
            )
    return texts, switches


def _switch(name: str, value: str, bucket: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise StateError(
            f"s3://{bucket}: {name}={value} says neither yes nor no",
            remedy=f"Write {name}=true or {name}=false.",
        )
    return value in _TRUE


def _address(endpoint: str, *, secure: bool) -> str:
    """An endpoint with its scheme; one that has none gets it from `disable_https`."""
    if not endpoint or "://" in endpoint:
        return endpoint
    return f"{'https' if secure else 'http'}://{endpoint}"
