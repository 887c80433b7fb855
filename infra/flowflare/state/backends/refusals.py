"""Says in words what a store's refusals mean, and which of them pass by themselves.

obstore's exceptions tell the status and the body of the answer in a text. Codes: "Error responses"
of the Amazon S3 API reference (R2, MinIO and Google's XML API use the same ones), and "Blob Storage
error codes" of Azure. That text is never shown: it may have what a request was signed with.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from flowflare.errors import StateError

# Which of a store's remedies helps, and what is wrong.
_WRONG: Final = {
    "bucket": "there is no such bucket",
    "rights": "these credentials may not do that there",
    "unknown": "the store does not know these credentials",
    "key": "the secret key is wrong",
    "expired": "the credentials have expired",
    "token": "the session token is not valid",
    "elsewhere": "the bucket is in another region",
    "region": "the request was signed for another region",
    "old": "the store does not know how to do that",
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
class Refusal:
    """What came instead of an answer.

    Attributes:
        kind: `absent` for an object that is not there, `unmet` for a condition that does not hold,
            `refused` with a code, `unreached` without a whole answer, `unusable` before anything
            was sent.
        code: the store's code, or the HTTP status.
        status: the HTTP status, 0 where there is none.
        passes: whether trying again makes sense.
        their_time: the store's time, as it says it to a machine whose clock is wrong.
    """

    kind: Kind
    code: str = ""
    status: int = 0
    passes: bool = False
    their_time: str = ""


@dataclass(frozen=True)
class Remedies:
    """What to do about the refusals of one kind of store.

    Attributes:
        bucket: where no bucket of that name exists.
        rights: where the credentials lack a right.
        credentials: where they are wrong, missing or have expired.
        region: where another region is meant.
    """

    bucket: str
    rights: str
    credentials: str
    region: str = "Look at the URL's options."

    def error(self, place: str, refusal: Refusal, *, now: datetime | None = None) -> StateError:
        """What a refusal means for its reader.

        Args:
            place: the bucket, as it is shown.
            refusal: what came.
            now: the time, by default this machine's.
        """
        if refusal.kind == "unreached":
            return StateError(
                f"{place}: the store does not answer",
                remedy="Is the network there, and is the endpoint right?",
            )
        if refusal.kind == "unusable":
            return StateError(
                f"{place}: it cannot be asked",
                remedy=f"Look at the URL's options. {self.credentials}",
            )
        if refusal.code in _SKEWED:
            return _skewed(place, refusal.their_time, now or datetime.now(UTC))
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
            "old": "Conditional writes are needed: AWS S3, R2 and MinIO since 2024 have them.",
        }
        return StateError(f"{place}: {_WRONG[what]}", remedy=remedies.get(what, self.credentials))


def read_refusal(error: Exception) -> Refusal:
    """Read what obstore raised.

    Args:
        error: an exception of obstore, or the FileNotFoundError that it raises for no object.
    """
    text = str(error).partition("Debug source:")[0]
    found = _STATUS.search(text)
    status = int(found.group(1)) if found else 0
    code = code.group(1) if (code := _CODE.search(text)) else str(status or "")
    if _REDIRECTED in text:
        return Refusal("refused", "PermanentRedirect", 301)
    if not status and not isinstance(error, FileNotFoundError):
        is_sent = any(word in text for word in _TRANSPORT)
        return Refusal("unreached", passes=True) if is_sent else Refusal("unusable")
    if status in (0, 404) and code in _ABSENT:
        return Refusal("absent", code, status)
    # R2 takes one write per second of an object, and says 429 to more.
    if code in _PASSING or status == 429 or (status >= 500 and status != 501):
        return Refusal("refused", code, status, passes=True)
    if status == 412 or code in ("PreconditionFailed", "BlobAlreadyExists", "ConditionNotMet"):
        return Refusal("unmet", code, status)
    their_time = _THEIR_TIME.search(text)
    return Refusal("refused", code, status, their_time=their_time.group(1) if their_time else "")


def _skewed(place: str, their_time: str, now: datetime) -> StateError:
    off = ""
    if their_time:
        theirs = datetime.fromisoformat(their_time.replace("Z", "+00:00"))
        seconds = (now - theirs).total_seconds()
        off = f" by {abs(seconds) / 60:.0f} minutes ({'ahead' if seconds > 0 else 'behind'})"
    return StateError(
        f"{place}: this machine's clock differs from the store's{off}",
        remedy="Set the clock: signatures hold for 15 minutes.",
    )
