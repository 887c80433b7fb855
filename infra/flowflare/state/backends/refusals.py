"""Explain a store's refusals, and which of them are worth a retry.

obstore's exceptions contain the status and body of the answer as text. Codes: "Error responses"
of the Amazon S3 API reference (R2, MinIO and Google's XML API use the same ones), and "Blob Storage
error codes" of Azure. That text is never shown, because it may contain credentials.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from flowflare.errors import StateError

# By remedy: what is wrong.
_WRONG: Final = {
    "bucket": "the bucket does not exist",
    "rights": "these credentials do not have the permission",
    "unknown": "the store does not know these credentials",
    "key": "the secret key is wrong",
    "expired": "the credentials have expired",
    "token": "the session token is not valid",
    "elsewhere": "the bucket is in another region",
    "region": "the request was signed for another region",
    "old": "the store does not support this request",
}
_CODES: Final = {
    "NoSuchBucket": "bucket",
    "ContainerNotFound": "bucket",
    "AccessDenied": "rights",
    "AllAccessDisabled": "rights",
    "AuthorizationFailure": "rights",
    "AuthorizationPermissionMismatch": "rights",
    "InsufficientAccountPermissions": "rights",
    "403": "rights",
    "InvalidAccessKeyId": "unknown",
    "UnrecognizedClientException": "unknown",
    "InvalidAuthenticationInfo": "unknown",
    "NoAuthenticationInformation": "unknown",
    "401": "unknown",
    "SignatureDoesNotMatch": "key",
    "AuthenticationFailed": "key",
    "ExpiredToken": "expired",
    "ExpiredTokenException": "expired",
    "TokenRefreshRequired": "expired",
    "InvalidToken": "token",
    "PermanentRedirect": "elsewhere",
    "301": "elsewhere",
    "AuthorizationHeaderMalformed": "region",
    "NotImplemented": "old",
    "501": "old",
}
_PASSING: Final = frozenset(
    {
        "ConditionalRequestConflict",  # 409: two conditional writes met; neither may be done
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "ServerBusy",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "TooManyRequests",
    }
)
_ABSENT: Final = frozenset({"", "NoSuchKey", "BlobNotFound", "404"})
_SKEWED: Final = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_STATUS: Final = re.compile(r"(?:status code|\(code): (\d{3})")  # the second in bulk deletions
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")
_THEIR_TIME: Final = re.compile(r"<ServerTime>([^<]+)</ServerTime>")
_REDIRECTED: Final = "redirect without LOCATION"
_TRANSPORT: Final = ("HTTP error", "error decoding response body", "error sending request")

Kind = Literal["absent", "unmet", "refused", "unreached", "unusable"]


@dataclass(frozen=True)
class FailedCall:
    """A failed call.

    Attributes:
        kind: `absent`: the object does not exist; `unmet`: a condition does not hold; `refused`:
            the store answered with an error; `unreached`: there was no complete answer;
            `unusable`: nothing was sent.
        code: the store's code, or the HTTP status.
        status: the HTTP status, 0 if there was none.
        passes: whether a retry may succeed.
        their_time: the store's time, if it refused because of a wrong clock.
    """

    kind: Kind
    code: str = ""
    status: int = 0
    passes: bool = False
    their_time: str = ""


@dataclass(frozen=True)
class Remedies:
    """Advice about the refusals of one kind of store.

    Attributes:
        bucket: if the bucket does not exist.
        rights: if the credentials lack a permission.
        credentials: if they are wrong, missing or expired.
        region: if the region is wrong.
    """

    bucket: str
    rights: str
    credentials: str
    region: str = "Check the URL's options."

    def make_error(
        self, place: str, refusal: FailedCall, *, now: datetime | None = None
    ) -> StateError:
        """Make the error for a refusal.

        Args:
            place: the bucket's URL for the message.
            now: the current time, by default this machine's.
        """
        if refusal.kind == "unreached":
            return StateError(
                f"{place}: the store does not answer",
                remedy="Check the network and the endpoint.",
            )
        if refusal.kind == "unusable":
            return StateError(
                f"{place}: no request could be sent",
                remedy=f"Check the URL's options. {self.credentials}",
            )
        if refusal.code in _SKEWED:
            return _explain_skew(place, refusal.their_time, now or datetime.now(UTC))
        what = _CODES.get(refusal.code) or _CODES.get(str(refusal.status))
        if what is None:
            return StateError(
                f"{place}: the store refused with {refusal.code} (HTTP {refusal.status})"
            )
        remedies = {
            "bucket": self.bucket,
            "rights": self.rights,
            "elsewhere": self.region,
            "region": self.region,
            "old": "Use a store with conditional writes: AWS S3, R2, or MinIO since 2024.",
        }
        return StateError(f"{place}: {_WRONG[what]}", remedy=remedies.get(what, self.credentials))


def read_refusal(error: Exception) -> FailedCall:
    """Classify an exception of obstore.

    Args:
        error: the exception; obstore raises FileNotFoundError for a missing object.
    """
    text = str(error).partition("Debug source:")[0]
    found = _STATUS.search(text)
    status = int(found.group(1)) if found else 0
    code = code.group(1) if (code := _CODE.search(text)) else str(status or "")
    if _REDIRECTED in text:
        return FailedCall("refused", "PermanentRedirect", 301)
    if not status and not isinstance(error, FileNotFoundError):
        is_sent = any(word in text for word in _TRANSPORT)
        return FailedCall("unreached", passes=True) if is_sent else FailedCall("unusable")
    if status in (0, 404) and code in _ABSENT:
        return FailedCall("absent", code, status)
    # R2 accepts one write per second to an object, and answers 429 to more.
    if code in _PASSING or status == 429 or (status >= 500 and status != 501):
        return FailedCall("refused", code, status, passes=True)
    if status == 412 or code in ("PreconditionFailed", "BlobAlreadyExists", "ConditionNotMet"):
        return FailedCall("unmet", code, status)
    their_time = _THEIR_TIME.search(text)
    return FailedCall("refused", code, status, their_time=their_time.group(1) if their_time else "")


def _explain_skew(place: str, their_time: str, now: datetime) -> StateError:
    off = ""
    if their_time:
        theirs = datetime.fromisoformat(their_time.replace("Z", "+00:00"))
        seconds = (now - theirs).total_seconds()
        off = f" by {abs(seconds) / 60:.0f} minutes ({'ahead' if seconds > 0 else 'behind'})"
    return StateError(
        f"{place}: this machine's clock differs from the store's{off}",
        remedy="Set the clock: signatures are valid for 15 minutes.",
    )
