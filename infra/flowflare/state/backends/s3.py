"""A bucket of S3, R2, MinIO or another store that speaks S3: `s3://BUCKET[/PREFIX][?OPTIONS]`.

boto3 finds the credentials: keys in the environment, profiles, roles, SSO, web identity,
containers. botocore refreshes them at least ten minutes before they expire.
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
from flowflare.state.backends.objects import ObjectStore, Timeouts, make_obstore
from flowflare.state.backends.refusals import Remedies
from flowflare.state.backends.url import BucketUrl, UrlOptions, read_bucket_url

_OPTIONS: Final = UrlOptions(
    texts=("region", "endpoint", "profile", "ssetype", "kmskeyid"),
    switches=("use_path_style", "disable_https", "dualstack", "fips", "accelerate"),
    same={
        "s3ForcePathStyle": "use_path_style",
        "disableSSL": "disable_https",
        "sseType": "ssetype",
        "kmsKeyId": "kmskeyid",
    },
    # obstore signs the SHA-256 of each request, so the newer checksums are not needed.
    ignored=(
        "awssdk",
        "hostname_immutable",
        "rate_limiter_capacity",
        "request_checksum_calculation",
        "response_checksum_validation",
    ),
    example="s3://BUCKET?region=REGION",
    hint="To use a role, name it in a profile.",
)
_CREDENTIALS: Final = (
    "Log in as for the AWS CLI: AWS_PROFILE, `aws sso login`, or AWS_ACCESS_KEY_ID with "
    "AWS_SECRET_ACCESS_KEY; an R2 API token has both."
)
_REGION: Final = "Write s3://BUCKET?region=REGION, or set AWS_REGION."
REMEDIES: Final = Remedies(
    bucket="Create it, or check its name, region and endpoint: aws s3 ls",
    rights="Allow s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject "
    "on what is in it; with a KMS key also kms:Decrypt and kms:GenerateDataKey.",
    credentials=_CREDENTIALS,
    region="Write the bucket's region into the URL: s3://BUCKET?region=REGION; R2's is auto.",
)
# Errors of botocore before anything is sent.
_LOGGED_OUT: Final = "the SSO login has expired"
_SETTINGS: Final = {
    "NoCredentialsError": "the credentials are missing",
    "PartialCredentialsError": "half of the credentials is missing",
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
    _base: Path | None = None,
    *,
    patience: Timeouts | None = None,
) -> ObjectStore:
    """Open a bucket, without a request.

    Args:
        environ: the environment, for region, endpoint, profile and keys missing in the URL.

    Raises:
        StateError: the URL is invalid.
    """
    place, patience = read_bucket_url(url, _OPTIONS), patience or Timeouts()
    keys = tuple(environ.get(name, "") for name in _KEY_NAMES)
    # The URL's profile wins over keys in the environment, and those over its profile.
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
        # botocore also reads the environment of this process.
        ambient = tuple(
            sorted(variable for variable in os.environ.items() if variable[0].startswith("AWS_"))
        )
        return _make_connector(place, keys, tuple(settings.items()), patience, ambient)()

    return ObjectStore(place, connect, REMEDIES, patience)


@lru_cache(maxsize=8)
def _make_connector(
    url: BucketUrl,
    keys: tuple[str, ...],
    settings: tuple[tuple[str, str], ...],
    patience: Timeouts,
    ambient: tuple[tuple[str, str], ...],
) -> Callable[[], Any]:
    """Make a function that returns obstore's store, cached by settings; threads may share it."""
    del ambient
    given = dict(settings)
    region, credentials = given["region"], None
    # Skip boto3 if there are keys and a region: its import takes a third of a second.
    if not all(keys[:2]) or not (region or given["endpoint"]):
        found, credentials = _ask_boto3(url, keys, given["profile"])
        region = region or found
    region = region or ("us-east-1" if given["endpoint"] else "")
    if not region:
        raise StateError(f"{url.public_url}: the bucket's region is missing", remedy=_REGION)

    def provide() -> dict[str, Any]:
        if credentials is None:
            return _credential(keys[0], keys[1], keys[2], None)
        frozen = credentials.get_frozen_credentials()
        # obstore calls this for each request; botocore knows when credentials expire.
        now = datetime.now(UTC)
        return _credential(frozen.access_key, frozen.secret_key, frozen.token, now)

    from obstore.store import S3Store

    config = _config(url, region, given["endpoint"])
    store = make_obstore(S3Store, url, config, patience, credential_provider=provide)

    def connect() -> Any:
        if credentials is not None:
            _refresh(url, credentials)  # here, because obstore would hide its exceptions
        return store

    return connect


def _ask_boto3(url: BucketUrl, keys: tuple[str, ...], profile: str) -> tuple[str, Any]:
    """Return the region and credentials that boto3 finds, as the AWS CLI does."""
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
        raise _explain_error(url, error) from None
    return session.region_name or "", credentials


def _refresh(url: BucketUrl, credentials: Any) -> None:
    from botocore.exceptions import BotoCoreError

    try:
        credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise _explain_error(url, error) from None


def _explain_error(url: BucketUrl, error: Exception) -> StateError:
    wrong = _SETTINGS.get(
        type(error).__name__, f"no request could be sent ({type(error).__name__})"
    )
    return StateError(f"{url.public_url}: {wrong}", remedy=_CREDENTIALS)


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
    """Return an endpoint with a scheme, which `disable_https` decides if it is missing."""
    if not endpoint or "://" in endpoint:
        return endpoint
    return f"{'http' if 'disable_https' in url.switches else 'https'}://{endpoint}"
