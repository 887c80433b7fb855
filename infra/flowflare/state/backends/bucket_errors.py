"""Says in words what a bucket's refusals mean, and which of them pass by themselves.

Codes: "Error responses" of the Amazon S3 API reference; R2 and MinIO use the same ones. Neither
credentials nor what was signed with them are ever part of a message.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from flowflare.errors import StateError

_CREDENTIALS: Final = (
    "Log in as for the AWS CLI: AWS_PROFILE, `aws sso login`, or AWS_ACCESS_KEY_ID with "
    "AWS_SECRET_ACCESS_KEY; for R2 an API token of R2 has both."
)
_RIGHTS: Final = (
    "Allow s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on "
    "what is in it; with a KMS key also kms:Decrypt and kms:GenerateDataKey."
)
# What the store answers: what is wrong, what to do.
_ANSWERS: Final = {
    "NoSuchBucket": (
        "there is no such bucket",
        "Make it, or look at its name, region and endpoint: aws s3 ls",
    ),
    "AccessDenied": ("these credentials may not do that there", _RIGHTS),
    "AllAccessDisabled": ("these credentials may not do that there", _RIGHTS),
    "InvalidAccessKeyId": ("the store does not know these credentials", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key is wrong", _CREDENTIALS),
    "ExpiredToken": ("the credentials have expired", _CREDENTIALS),
    "InvalidToken": ("the session token is not valid", _CREDENTIALS),
    "PermanentRedirect": (
        "the bucket is in another region",
        "Write its region into the URL: s3://BUCKET?region=REGION",
    ),
    "AuthorizationHeaderMalformed": (
        "the request was signed for another region",
        "Write the bucket's region into the URL; R2's is region=auto.",
    ),
    "NotImplemented": (
        "the store does not know how to do that",
        "Conditional writes are needed: AWS S3, R2 and MinIO since 2024 have them.",
    ),
}
# What botocore says before anything is sent.
_SETTINGS: Final = {
    "NoCredentialsError": ("there are no credentials for it", _CREDENTIALS),
    "PartialCredentialsError": ("a half of the credentials is missing", _CREDENTIALS),
    "CredentialRetrievalError": ("the credentials cannot be fetched", _CREDENTIALS),
    "ProfileNotFound": ("the profile is not in the AWS configuration", _CREDENTIALS),
    "SSOTokenLoadError": ("one is not logged in any more", _CREDENTIALS),
    "TokenRetrievalError": ("one is not logged in any more", _CREDENTIALS),
    "UnauthorizedSSOTokenError": ("one is not logged in any more", _CREDENTIALS),
    "NoRegionError": (
        "it is not said in which region the bucket is",
        "Write s3://BUCKET?region=REGION, or set AWS_REGION.",
    ),
}
_SAME: Final = {
    "403": "AccessDenied",
    "Forbidden": "AccessDenied",
    "301": "PermanentRedirect",
    "ExpiredTokenException": "ExpiredToken",
    "TokenRefreshRequired": "ExpiredToken",
    "UnrecognizedClientException": "InvalidAccessKeyId",
    "501": "NotImplemented",
}
_PASSING: Final = frozenset(
    {
        "ConditionalRequestConflict",  # 409: two conditional writes met; neither may be done
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "TooManyRequests",
    }
)
_SKEWED: Final = frozenset({"RequestTimeTooSkewed", "RequestExpired"})


def code_of(error: Any) -> str:
    """The code of a botocore ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """The HTTP status of a botocore ClientError, 0 where it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def passes(error: Any) -> bool:
    """Whether a refusal (a ClientError) passes by itself, so that trying again makes sense."""
    status = status_of(error)  # R2 takes one write per second of an object, and says 429 to more
    return code_of(error) in _PASSING or status == 429 or (status >= 500 and status != 501)


def is_unmet(error: Any) -> bool:
    """Whether a refusal (a ClientError) says that a condition does not hold."""
    return status_of(error) == 412 or code_of(error) == "PreconditionFailed"


def is_absent(error: Any) -> bool:
    """Whether a refusal (a ClientError) says that there is no such object."""
    return code_of(error) in ("NoSuchKey", "404", "NotFound")


def refused(place: str, error: Any, *, now: datetime | None = None) -> StateError:
    """What a refusal (a ClientError) means for its reader."""
    code = _SAME.get(code_of(error), code_of(error))
    if code in _SKEWED:
        return _skewed(place, error, now or datetime.now(UTC))
    known = _ANSWERS.get(code)
    if known is None:
        status = status_of(error)
        return StateError(f"{place}: the store refused with {code} (HTTP {status})")
    wrong, remedy = known
    return StateError(f"{place}: {wrong}", remedy=remedy)


def unreached(place: str, error: Exception) -> StateError:
    """No whole answer came; a write may have been done all the same."""
    return StateError(
        f"{place}: the store does not answer ({type(error).__name__})",
        remedy="Is the network there, and is the endpoint right?",
    )


def unusable(place: str, error: Exception) -> StateError:
    """What the URL, the environment and the AWS configuration say does not make a request."""
    wrong, remedy = _SETTINGS.get(
        type(error).__name__,
        (f"it cannot be asked ({type(error).__name__})", "Look at the URL's options."),
    )
    return StateError(f"{place}: {wrong}", remedy=remedy)


def _skewed(place: str, error: Any, now: datetime) -> StateError:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    off = ""
    if headers.get("date"):
        theirs = parsedate_to_datetime(headers["date"])
        seconds = (now - theirs).total_seconds()
        off = f" by {abs(seconds) / 60:.0f} minutes ({'ahead' if seconds > 0 else 'behind'})"
    return StateError(
        f"{place}: this machine's clock differs from the store's{off}",
        remedy="Set the clock: signatures hold for 15 minutes.",
    )
