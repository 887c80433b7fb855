"""A store in a bucket of objects with conditional writes, reached through obstore.

Every call has timeouts and is tried again a few times with a pause. Each conditional write carries
a random token as the object's metadata. Where a write meets a condition that it broke itself (its
answer was lost, or something on the way sent it twice), the object has that token and counts as
written.
"""

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends.refusals import Refusal, Remedies, read_refusal
from flowflare.state.backends.store import ABSENT, Stored
from flowflare.state.backends.url import BucketUrl

T = TypeVar("T")
_AT_ONCE: Final = 16
_TOKEN: Final = "write"  # noqa: S105 -- the name of a field of metadata


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

    @property
    def for_obstore(self) -> dict[str, Any]:
        """Arguments of obstore's stores: the timeouts, and that each attempt is this module's."""
        timeouts = {"connect_timeout": f"{self.connect}s", "read_timeout": f"{self.read}s"}
        options = {**timeouts, "timeout": f"{4 * self.read}s", "allow_http": True}
        return {"client_options": options, "retry_config": {"max_retries": 0}}


class ObjectStore:
    """The objects of a bucket below a prefix.

    Args:
        url: the bucket.
        connect: returns obstore's store for the prefix, connected with current credentials.
        remedies: what to do about a refusal.
        patience: how long it is waited for.
        version: the field of obstore's metadata that a conditional write has to name.
    """

    def __init__(
        self,
        url: BucketUrl,
        connect: Callable[[], Any],
        remedies: Remedies,
        patience: Patience,
        *,
        version: str = "e_tag",
    ) -> None:
        self._url = url
        self._connect = connect
        self._remedies = remedies
        self._patience = patience
        self._version = version

    def __repr__(self) -> str:
        return f"ObjectStore({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectStore) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)

    @property
    def url(self) -> str:
        """The URL without its options."""
        return self._url.shown

    @property
    def is_remote(self) -> bool:
        """Other machines reach it too."""
        return True

    def shown(self, key: str) -> str:
        """The object's URL."""
        return f"{self.url}/{key}"

    def get(self, key: str) -> Stored | None:
        """Reads an object, None where there is none."""
        found = self._read(key)
        return None if found is None else found[0]

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        """Writes an object; see `Store`."""
        mode: str | dict[str, str] = {self._version: only_if or ""}
        if only_if in (None, ABSENT):
            mode = "overwrite" if only_if is None else "create"
        token = uuid.uuid4().hex
        attributes = {"Content-Type": "application/json", _TOKEN: token}

        def write(store: Any) -> str:
            done = store.put(key, data, attributes=attributes, mode=mode, use_multipart=False)
            return self._tag(done)

        try:
            return self._ask(write)
        except _UnmetError:
            found = self._read(key)
            if found is None or found[1] != token:
                raise self._conflict(key) from None
            return found[0].tag

    def copy(self, source: str, target: str) -> bool:
        """Lets the store copy an object; whether there was one."""
        return self._ask(lambda store: store.copy(source, target) or True, absent=False)

    def delete(self, key: str, *, only_if: str | None = None) -> None:
        """Removes an object; see `Store`.

        obstore knows no conditional deletion (nor does R2), so the tag is read before: another
        run's write may come in between. An object that must not be lost is better replaced.
        """
        if only_if is not None:
            present = self.get(key)
            if present is None:
                return
            if present.tag != only_if:
                raise self._conflict(key)
        self._ask(lambda store: store.delete(key), absent=None)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a text, sorted."""
        return sorted(one["path"] for one in self._list(prefix))

    def tags(self, prefix: str, *, ending: str | tuple[str, ...] = "") -> dict[str, str]:
        """The tags of some objects, as the listing has them."""
        listed = [one for one in self._list(prefix) if one["path"].endswith(ending)]
        if all(one[self._version] for one in listed):
            return {one["path"]: self._tag(one) for one in listed}
        read = self.read_many([one["path"] for one in listed])
        return {key: stored.tag for key, stored in read.items()}

    def read_many(self, keys: Sequence[str]) -> dict[str, Stored]:
        """Reads several objects, up to 16 at once."""
        if len(keys) < 2:
            read: list[Stored | None] = [self.get(key) for key in keys]
        else:
            with ThreadPoolExecutor(min(_AT_ONCE, len(keys))) as pool:
                read = list(pool.map(self.get, keys))
        return {key: one for key, one in zip(keys, read, strict=True) if one is not None}

    # ----------------------------------------------------------------------------------------------

    def _read(self, key: str) -> tuple[Stored, str] | None:
        """An object and the token that it was written with, empty for a write without one."""

        def read(store: Any) -> tuple[Stored, str] | None:
            answer = store.get(key)
            data, meta = bytes(answer.bytes()), answer.meta
            stored = Stored(data, self._tag(meta), meta["last_modified"].timestamp())
            return stored, str(answer.attributes.get(_TOKEN, ""))

        return self._ask(read, absent=None)

    def _list(self, prefix: str) -> list[Mapping[str, Any]]:
        # obstore lists what is below a folder, and not what begins with a text.
        folder = prefix.rpartition("/")[0]

        def read(store: Any) -> list[Mapping[str, Any]]:
            return [one for page in store.list(folder or None) for one in page]

        return [one for one in self._ask(read) if one["path"].startswith(prefix)]

    def _tag(self, meta: Mapping[str, Any]) -> str:
        # Azure writes quotation marks around a tag in headers, and none in listings.
        tag = str(meta[self._version] or "").strip('"')
        return f'"{tag}"' if self._version == "e_tag" else tag

    def _conflict(self, key: str) -> ConflictError:
        return ConflictError(f"{self.shown(key)} has been changed by somebody else")

    def _ask(self, call: Callable[[Any], T], **absent: T) -> T:
        """The answer of the store, which is asked again where that makes sense.

        Args:
            call: asks.
            absent: the answer where there is no such object; otherwise that is an unmet condition.

        Raises:
            _UnmetError: a condition does not hold.
            StateError: the store cannot be reached, or refuses.
        """
        pauses = iter(self._patience.pauses)
        while True:
            store = self._connect()
            refusal = _attempt(call, store)
            if not isinstance(refusal, Refusal):
                return refusal
            if refusal.kind == "absent" and "absent" in absent:
                return absent["absent"]
            if refusal.kind in ("absent", "unmet"):
                raise _UnmetError
            pause = next(pauses, None) if refusal.passes else None
            if pause is None:
                raise self._remedies.error(self.url, refusal)
            self._patience.sleep(pause * random.uniform(1, 1.5))  # noqa: S311 -- no secret


def make_obstore(
    kind: Any, url: BucketUrl, config: Mapping[str, Any], patience: Patience, **more: Any
) -> Any:
    """Make obstore's store for a URL; nobody is asked yet.

    Args:
        kind: obstore's class.
        url: the bucket and the prefix.
        config: the class's configuration.
        patience: how long the store is waited for.
        more: other arguments of the class.

    Raises:
        StateError: the configuration cannot be used.
    """
    from obstore.exceptions import BaseError

    prefix = url.prefix.rstrip("/") or None
    try:
        return kind(url.bucket, prefix=prefix, config=config, **patience.for_obstore, **more)
    except (BaseError, OSError, ValueError):
        raise StateError(
            f"{url.shown}: it cannot be asked",
            remedy="Look at the URL's options, and at the credentials in the environment.",
        ) from None


class _UnmetError(Exception):
    """The condition of a write does not hold."""


def _attempt(call: Callable[[Any], T], store: Any) -> "T | Refusal":
    from obstore.exceptions import BaseError

    try:
        return call(store)
    except (BaseError, OSError) as error:
        return read_refusal(error)
