"""A bucket of S3, R2, MinIO or another store that speaks S3: `s3://BUCKET[/PREFIX][?OPTIONS]`.

The credentials are those that boto3 finds: keys in the environment, profiles, roles, SSO, web
identity, containers. botocore refreshes them at least ten minutes before they expire.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from flowflare.errors import StateError
from flowflare.state.backends.objects import ObjectStore, Patience, make_obstore
from flowflare.state.backends.refusals import Remedies
from flowflare.state.backends.url import BucketUrl, Options, read_bucket_url

_OPTIONS: Final = Options(
    texts=("region", "endpoint", "profile", "ssetype", "kmskeyid"),
    switches=("use_path_style", "disable_https", "dualstack", "fips", "accelerate"),
    same={
        "s3ForcePathStyle": "use_path_style",
        "disableSSL": "disable_https",
        "sseType": "ssetype",
        "kmsKeyId": "kmskeyid",
    },
    # obstore signs the SHA-256 of what it sends, so the newer checksums have nothing to add.
    ignored=(
        "awssdk",
        "hostname_immutable",
        "rate_limiter_capacity",
        "request_checksum_calculation",
        "response_checksum_validation",
    ),
    example="s3://BUCKET?region=REGION",
    hint="A role is best named in a profile.",
)
_CREDENTIALS: Final = (
    "Log in as for the AWS CLI: AWS_PROFILE, `aws sso login`, or AWS_ACCESS_KEY_ID with "
    "AWS_SECRET_ACCESS_KEY; for R2 an API token of R2 has both."
)
_REGION: Final = "Write s3://BUCKET?region=REGION, or set AWS_REGION."
REMEDIES: Final = Remedies(
    bucket="Make it, or look at its name, region and endpoint: aws s3 ls",
    rights="Allow s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject "
    "on what is in it; with a KMS key also kms:Decrypt and kms:GenerateDataKey.",
    credentials=_CREDENTIALS,
    region="Write the bucket's region into the URL: s3://BUCKET?region=REGION; R2's is auto.",
)
# What botocore says before anything is sent.
_LOGGED_OUT: Final = "one is not logged in any more"
_SETTINGS: Final = {
    "NoCredentialsError": "there are no credentials for it",
    "PartialCredentialsError": "a half of the credentials is missing",
    "CredentialRetrievalError": "the credentials cannot be fetched",
    "ProfileNotFound": "the profile is not in the AWS configuration",
    "SSOTokenLoadError": _LOGGED_OUT,
    "TokenRetrievalError": _LOGGED_OUT,
    "UnauthorizedSSOTokenError": _LOGGED_OUT,
}
_KEY_NAMES: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def open_bucket(
    url: str,
    environ: Mapping[str, str],
    base: Path | None = None,
    *,
    patience: Patience | None = None,
) -> ObjectStore:
    """Opens a bucket; nobody is asked yet.

    Args:
        url: `s3://BUCKET[/PREFIX][?OPTIONS]`.
        environ: the environment: region, endpoint, profile and keys where the URL has none.
        base: not used.
        patience: how long the bucket is waited for.

    Raises:
        StateError: the URL cannot be used.
    """
    del base
    place, patience = read_bucket_url(url, _OPTIONS), patience or Patience()
    keys = tuple(environ.get(name, "") for name in _KEY_NAMES)
    # Keys in the environment go before its profile, and the URL's profile before both.
    profile = place.text("profile") or ("" if keys[0] else environ.get("AWS_PROFILE", ""))
    region = place.text("region") or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    endpoint = place.text("endpoint") or environ.get("AWS_ENDPOINT_URL_S3")
    settings = {
        "profile": profile,
        "region": region or "",
        "endpoint": _address(endpoint or environ.get("AWS_ENDPOINT_URL", ""), place),
    }
    if place.text("profile"):
        keys = ("", "", "")

    def connect() -> Any:
        # Beside what is given, botocore reads the process's own environment.
        ambient = tuple(sorted(one for one in os.environ.items() if one[0].startswith("AWS_")))
        return _connected(place, keys, tuple(settings.items()), patience, ambient)()

    return ObjectStore(place, connect, REMEDIES, patience)


@lru_cache(maxsize=8)
def _connected(
    url: BucketUrl,
    keys: tuple[str, ...],
    settings: tuple[tuple[str, str], ...],
    patience: Patience,
    ambient: tuple[tuple[str, str], ...],
) -> Callable[[], Any]:
    """What returns obstore's store, made once for the same surroundings; threads may share it."""
    del ambient
    given = dict(settings)
    region, credentials = given["region"], None
    # Keys and a region need nothing of boto3, whose import takes a third of a second.
    if not all(keys[:2]) or not (region or given["endpoint"]):
        found, credentials = _ask_boto3(url, keys, given["profile"])
        region = region or found
    region = region or ("us-east-1" if given["endpoint"] else "")
    if not region:
        raise StateError(
            f"{url.shown}: it is not said in which region the bucket is", remedy=_REGION
        )

    def provide() -> dict[str, Any]:
        if credentials is None:
            return _credential(keys[0], keys[1], keys[2], None)
        frozen = credentials.get_frozen_credentials()
        # obstore asks again for each request; botocore knows when they expire.
        now = datetime.now(UTC)
        return _credential(frozen.access_key, frozen.secret_key, frozen.token, now)

    from obstore.store import S3Store

    config = _config(url, region, given["endpoint"])
    store = make_obstore(S3Store, url, config, patience, credential_provider=provide)

    def refreshed() -> Any:
        if credentials is not None:
            _refresh(url, credentials)  # here, where its exceptions can be read
        return store

    return refreshed


def _ask_boto3(url: BucketUrl, keys: tuple[str, ...], profile: str) -> tuple[str, Any]:
    """The region and the credentials that boto3 finds, as for the AWS CLI."""
    import boto3
    from botocore import exceptions

    try:
        if any(keys[:2]) and not all(keys[:2]):
            raise exceptions.PartialCredentialsError(provider="environment", cred_var="a key")
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        given = {name: key for name, key in zip(names, keys, strict=True) if key}
        session = boto3.session.Session(profile_name=profile or None, **given)
        credentials = session.get_credentials()
        if credentials is None:
            raise exceptions.NoCredentialsError
    except exceptions.BotoCoreError as error:
        raise _unusable(url, error) from None
    return session.region_name or "", credentials


def _refresh(url: BucketUrl, credentials: Any) -> None:
    from botocore.exceptions import BotoCoreError

    try:
        credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise _unusable(url, error) from None


def _unusable(url: BucketUrl, error: Exception) -> StateError:
    wrong = _SETTINGS.get(type(error).__name__, f"it cannot be asked ({type(error).__name__})")
    return StateError(f"{url.shown}: {wrong}", remedy=_CREDENTIALS)


def _credential(key: str, secret: str, token: str | None, ends: datetime | None) -> dict[str, Any]:
    made = {"access_key_id": key, "secret_access_key": secret, "expires_at": ends}
    return {**made, "token": token} if token else made


def _config(url: BucketUrl, region: str, endpoint: str) -> dict[str, Any]:
    host_style = "." not in url.bucket and "use_path_style" not in url.switches
    if not endpoint:
        stack = ".dualstack" if "dualstack" in url.switches else ""
        place = f"s3{'-fips' if 'fips' in url.switches else ''}{stack}.{region}"
        if "accelerate" in url.switches:
            place, host_style = f"s3-accelerate{stack}", True
        endpoint = f"https://{place}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    parts = urlsplit(endpoint)
    host_style = host_style and not _is_address(parts.hostname or "")
    if host_style:
        endpoint = f"{parts.scheme}://{url.bucket}.{parts.netloc}{parts.path}"
    encryption = {
        "server_side_encryption": url.text("ssetype"),
        "sse_kms_key_id": url.text("kmskeyid"),
    }
    return {
        "endpoint": endpoint,
        "region": region,
        "virtual_hosted_style_request": host_style,
        "disable_bulk_delete": True,
        **{name: value for name, value in encryption.items() if value},
    }


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _address(endpoint: str, url: BucketUrl) -> str:
    """An endpoint with its scheme; one that has none gets it from `disable_https`."""
    if not endpoint or "://" in endpoint:
        return endpoint
    return f"{'http' if 'disable_https' in url.switches else 'https'}://{endpoint}"
