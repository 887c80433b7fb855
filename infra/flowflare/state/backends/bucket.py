"""A store in a bucket: S3, R2, MinIO and others that speak S3 with conditional writes.

Every call has timeouts and is tried again a few times with a pause. A write whose answer was lost
may have been done: where its repetition meets the condition that it has itself broken, the object
is read, and one with the very content counts as written.
"""

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends import bucket_errors as words
from flowflare.state.backends.bucket_url import BucketUrl, read_bucket_url
from flowflare.state.backends.store import ABSENT, Stored

T = TypeVar("T")
_AT_ONCE: Final = 16
_MAKING: Final = threading.Lock()
_KEY_NAMES: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Patience:
    """How long a store is waited for.

    Attributes:
        connect, read: seconds for a connection, and between two parts of an answer.
        pauses: seconds before each further attempt; up to half of each is added by chance.
        sleep: waits.
    """

    connect: float = 5.0
    read: float = 15.0
    pauses: tuple[float, ...] = (0.2, 0.8, 2.0)
    sleep: Callable[[float], None] = time.sleep


class S3Store:
    """The objects of a bucket below a prefix.

    Args:
        url: the bucket and how it is reached.
        environ: the environment, for credentials.
        patience: how long it is waited for.
    """

    def __init__(
        self, url: BucketUrl, environ: Mapping[str, str], patience: Patience | None = None
    ) -> None:
        self._url = url
        self._credentials = tuple(environ.get(name, "") for name in _KEY_NAMES)
        self._patience = patience or Patience()

    def __repr__(self) -> str:
        return f"S3Store({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, S3Store) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)

    @property
    def url(self) -> str:
        """The URL without its options."""
        return self._url.shown

    def shown(self, key: str) -> str:
        """The object's URL."""
        return f"{self.url}/{key}"

    def get(self, key: str) -> Stored | None:
        """Reads an object, None where there is none."""

        def read(client: Any) -> Stored | None:
            try:
                answer = client.get_object(**self._at(key))
            except client.exceptions.ClientError as error:
                if words.is_absent(error):
                    return None
                raise
            with contextlib.closing(answer["Body"]) as body:
                return Stored(body.read(), answer["ETag"], _age(answer))

        return self._asked(read)[0]

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        """Writes an object; see `Store`."""
        condition = {} if only_if is None else {"IfMatch": only_if}
        if only_if == ABSENT:
            condition = {"IfNoneMatch": "*"}

        def write(client: Any) -> str | None:
            try:
                answer = client.put_object(
                    **self._at(key),
                    Body=data,
                    ContentType="application/json",
                    **condition,
                    **self._encryption(),
                )
            except client.exceptions.ClientError as error:
                if only_if is not None and (words.is_unmet(error) or words.is_absent(error)):
                    return None
                raise
            return str(answer["ETag"])

        tag, doubtful = self._asked(write)
        if tag is None and doubtful:
            present = self.get(key)
            tag = present.tag if present is not None and present.data == data else None
        if tag is None:
            raise self._conflict(key)
        return tag

    def copy(self, source: str, target: str) -> bool:
        """Lets the store copy an object; whether there was one."""
        place = {"Bucket": self._url.bucket, "Key": self._url.prefix + source}

        def write(client: Any) -> bool:
            try:
                client.copy_object(**self._at(target), CopySource=place, **self._encryption())
            except client.exceptions.ClientError as error:
                if words.is_absent(error):
                    return False
                raise
            return True

        return self._asked(write)[0]

    def delete(self, key: str, *, only_if: str | None = None) -> None:
        """Removes an object; see `Store`.

        Not every store knows conditional deletion (R2 does not), so that the tag is looked at as
        well: there another's write may come in between. What must not be lost is better replaced.
        """
        condition = {} if only_if is None else {"IfMatch": only_if}
        if only_if is not None:
            present = self.get(key)
            if present is None:
                return
            if present.tag != only_if:
                raise self._conflict(key)

        def remove(client: Any) -> bool:
            try:
                client.delete_object(**self._at(key), **condition)
            except client.exceptions.ClientError as error:
                if not (words.is_unmet(error) or words.is_absent(error)):
                    raise
                return words.is_absent(error)
            return True

        if not self._asked(remove)[0]:
            raise self._conflict(key)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a text, sorted."""
        return sorted(self.tags(prefix))

    def tags(self, prefix: str, *, ending: str | tuple[str, ...] = "") -> dict[str, str]:
        """The tags of some objects, as the listing has them."""
        found: dict[str, str] = {}
        more: dict[str, str] = {}
        place = {"Bucket": self._url.bucket, "Prefix": self._url.prefix + prefix}
        while True:
            page, _ = self._asked(_listing({**place, **more}))
            cut = len(self._url.prefix)
            listed = page.get("Contents") or ()
            found |= {str(one["Key"])[cut:]: str(one["ETag"]) for one in listed}
            if not page.get("IsTruncated"):
                return {key: tag for key, tag in found.items() if key.endswith(ending)}
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def read_many(self, keys: Sequence[str]) -> dict[str, Stored]:
        """Reads several objects, up to 16 at once."""
        if len(keys) < 2:
            read: list[Stored | None] = [self.get(key) for key in keys]
        else:
            with ThreadPoolExecutor(min(_AT_ONCE, len(keys))) as pool:
                read = list(pool.map(self.get, keys))
        return {key: one for key, one in zip(keys, read, strict=True) if one is not None}

    # ----------------------------------------------------------------------------------------------

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._url.bucket, "Key": self._url.prefix + key}

    def _encryption(self) -> dict[str, str]:
        asked = {
            "ServerSideEncryption": self._url.ssetype,
            "SSEKMSKeyId": self._url.kmskeyid,
        }
        return {name: value for name, value in asked.items() if value}

    def _conflict(self, key: str) -> ConflictError:
        return ConflictError(f"{self.shown(key)} has been changed by somebody else")

    def _asked(self, call: Callable[[Any], T]) -> tuple[T, bool]:
        """The answer, and whether an attempt before it may have been done without an answer."""
        client = self._client()
        doubtful = False
        pauses = iter(self._patience.pauses)
        while True:
            answer = self._attempt(call, client)
            if not isinstance(answer, _Lost):
                return answer, doubtful
            pause = next(pauses, None)
            if pause is None:
                raise answer.error
            doubtful = doubtful or answer.doubtful
            self._patience.sleep(pause * random.uniform(1, 1.5))  # noqa: S311 -- no secret

    def _attempt(self, call: Callable[[Any], T], client: Any) -> "T | _Lost":
        from botocore import exceptions

        try:
            return call(client)
        except exceptions.ClientError as error:
            refusal = words.refused(self.url, error)
            if not words.passes(error):
                raise refusal from None
            return _Lost(refusal, words.status_of(error) >= 500)
        except (
            exceptions.ConnectionError,
            exceptions.HTTPClientError,
            exceptions.IncompleteReadError,
        ) as error:
            return _Lost(words.unreached(self.url, error), doubtful=True)
        except exceptions.BotoCoreError as error:
            raise words.unusable(self.url, error) from None

    def _client(self) -> Any:
        # Beside what is given, botocore reads the process's own environment.
        settings = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
        limits = (self._patience.connect, self._patience.read)
        from botocore import exceptions

        with _MAKING:
            try:
                return _made_client(self._url, self._credentials, limits, settings)
            except (exceptions.BotoCoreError, ValueError) as error:
                raise words.unusable(self.url, error) from None


def open_bucket(url: str, environ: Mapping[str, str]) -> S3Store:
    """Opens a bucket; nobody is asked yet.

    Args:
        url: `s3://BUCKET[/PREFIX][?OPTIONS]`.
        environ: the environment.

    Raises:
        StateError: the URL cannot be used.
    """
    return S3Store(read_bucket_url(url, environ), environ)


@dataclass(frozen=True)
class _Lost:
    """An attempt without an answer that counts; it may have been done if it is doubtful."""

    error: StateError
    doubtful: bool


def _listing(asked: Mapping[str, str]) -> Callable[[Any], dict[str, Any]]:
    def page(client: Any) -> dict[str, Any]:
        answer: dict[str, Any] = client.list_objects_v2(**asked)
        return answer

    return page


@lru_cache(maxsize=8)
def _made_client(
    url: BucketUrl,
    credentials: tuple[str, ...],
    limits: tuple[float, float],
    settings: tuple[tuple[str, str], ...],
) -> Any:
    """A client, made once for the same surroundings: it costs 0.1 s; threads may share it."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoRegionError

    del settings
    key, secret, token = (text or None for text in credentials)
    other = bool(url.endpoint)  # not AWS: not all of them know the newer checksums
    config = Config(
        connect_timeout=limits[0],
        read_timeout=limits[1],
        retries={"total_max_attempts": 1},
        max_pool_connections=_AT_ONCE,
        use_dualstack_endpoint=url.dualstack or None,
        use_fips_endpoint=url.fips or None,
        request_checksum_calculation=url.request_checksum_calculation
        or ("when_required" if other else "when_supported"),
        response_checksum_validation=url.response_checksum_validation
        or ("when_required" if other else "when_supported"),
        s3={
            "addressing_style": "path" if url.path_style else "auto",
            "use_accelerate_endpoint": url.accelerate,
        },
    )
    session = boto3.session.Session(profile_name=url.profile or None)
    region = url.region or session.region_name or ("us-east-1" if other else None)
    if region is None:
        raise NoRegionError
    # A profile goes before keys in the environment: who names both means the profile.
    keys = {} if url.profile else {"aws_access_key_id": key, "aws_secret_access_key": secret}
    return session.client(
        "s3",
        region_name=region,
        endpoint_url=url.endpoint or None,
        config=config,
        aws_session_token=None if url.profile else token,
        **keys,
    )


def _age(answer: Mapping[str, Any]) -> float | None:
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    changed = answer.get("LastModified")
    if not date or changed is None:
        return None
    seconds: float = (parsedate_to_datetime(date) - changed).total_seconds()
    return max(seconds, 0.0)
