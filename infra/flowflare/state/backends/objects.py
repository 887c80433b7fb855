"""A store in a bucket of objects with conditional writes, reached through obstore.

Every call has timeouts and is retried a few times after a pause. Each conditional write stores a
random token in the object's metadata. If the answer to a write is lost, or a proxy sends it twice,
the repeated write fails its condition. The object then has the write's own token, so the write
counts as done.
"""

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends.refusals import FailedCall, Remedies, read_refusal
from flowflare.state.backends.store import ABSENT, StoredObject
from flowflare.state.backends.url import BucketUrl

T = TypeVar("T")
_AT_ONCE: Final = 16
_TOKEN: Final = "write"  # noqa: S105 -- the name of a field of metadata


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for a store.

    Attributes:
        connect, read: seconds for a connection, and between two parts of an answer.
        pauses: seconds before each retry, plus a random part of up to half of it.
    """

    connect: float = 5.0
    read: float = 15.0
    pauses: tuple[float, ...] = (0.2, 0.8, 2.0)
    sleep: Callable[[float], None] = time.sleep

    @property
    def for_obstore(self) -> dict[str, Any]:
        """Arguments of obstore's stores: timeouts, and no retries; this module retries."""
        timeouts = {"connect_timeout": f"{self.connect}s", "read_timeout": f"{self.read}s"}
        options = {**timeouts, "timeout": f"{4 * self.read}s", "allow_http": True}
        return {"client_options": options, "retry_config": {"max_retries": 0}}


class ObjectStore:
    """The objects of a bucket below a prefix.

    Args:
        connect: returns obstore's store for the prefix, connected with current credentials.
        remedies: advice for each kind of refusal.
        version: the field of obstore's metadata for conditional writes.
    """

    def __init__(
        self,
        url: BucketUrl,
        connect: Callable[[], Any],
        remedies: Remedies,
        patience: Timeouts,
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
        return self._url.public_url

    @property
    def is_remote(self) -> bool:
        """True: other machines can reach a bucket."""
        return True

    def describe(self, key: str) -> str:
        """Return the object's URL."""
        return f"{self.url}/{key}"

    def get(self, key: str) -> StoredObject | None:
        """Read an object; None if it does not exist."""
        found = self._read(key)
        return None if found is None else found[0]

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        """Write an object; see `Store`."""
        mode: str | dict[str, str] = {self._version: only_if or ""}
        if only_if in (None, ABSENT):
            mode = "overwrite" if only_if is None else "create"
        token = uuid.uuid4().hex
        attributes = {"Content-Type": "application/json", _TOKEN: token}

        def write(store: Any) -> str:
            done = store.put(key, data, attributes=attributes, mode=mode, use_multipart=False)
            return self._tag(done)

        try:
            return self._call(write)
        except _UnmetError:
            found = self._read(key)
            if found is None or found[1] != token:
                raise self._conflict(key) from None
            return found[0].tag

    def copy(self, source: str, target: str) -> bool:
        """Copy an object in the store, and return whether it existed."""
        return self._call(lambda store: store.copy(source, target) or True, absent=False)

    def delete(self, key: str, *, only_if: str | None = None) -> None:
        """Remove an object; see `Store`.

        obstore and R2 do not support conditional deletion, so this reads the tag first, and another
        run's write may come between. Replace an object that must not be lost instead.
        """
        if only_if is not None:
            present = self.get(key)
            if present is None:
                return
            if present.tag != only_if:
                raise self._conflict(key)
        self._call(lambda store: store.delete(key), absent=None)

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with a string, sorted."""
        return sorted(meta["path"] for meta in self._list(prefix))

    def tags(self, prefix: str, *, ending: str | tuple[str, ...] = "") -> dict[str, str]:
        """Return the tags of some objects, from the listing if it has them."""
        listed = [meta for meta in self._list(prefix) if meta["path"].endswith(ending)]
        if all(meta[self._version] for meta in listed):
            return {meta["path"]: self._tag(meta) for meta in listed}
        read = self.read_many([meta["path"] for meta in listed])
        return {key: stored.tag for key, stored in read.items()}

    def read_many(self, keys: Sequence[str]) -> dict[str, StoredObject]:
        """Read several objects, up to 16 at once."""
        if len(keys) < 2:
            read: list[StoredObject | None] = [self.get(key) for key in keys]
        else:
            with ThreadPoolExecutor(min(_AT_ONCE, len(keys))) as pool:
                read = list(pool.map(self.get, keys))
        return {key: stored for key, stored in zip(keys, read, strict=True) if stored is not None}

    # ----------------------------------------------------------------------------------------------

    def _read(self, key: str) -> tuple[StoredObject, str] | None:
        """Return an object and the token of its write, empty for a write without a token."""

        def read(store: Any) -> tuple[StoredObject, str] | None:
            answer = store.get(key)
            data, meta = bytes(answer.bytes()), answer.meta
            stored = StoredObject(data, self._tag(meta), meta["last_modified"].timestamp())
            return stored, str(answer.attributes.get(_TOKEN, ""))

        return self._call(read, absent=None)

    def _list(self, prefix: str) -> list[Mapping[str, Any]]:
        # obstore lists the objects in a folder, not those that begin with a text.
        folder = prefix.rpartition("/")[0]

        def read(store: Any) -> list[Mapping[str, Any]]:
            return [meta for page in store.list(folder or None) for meta in page]

        return [meta for meta in self._call(read) if meta["path"].startswith(prefix)]

    def _tag(self, meta: Mapping[str, Any]) -> str:
        # Azure quotes a tag in headers, but not in listings.
        tag = str(meta[self._version] or "").strip('"')
        return f'"{tag}"' if self._version == "e_tag" else tag

    def _conflict(self, key: str) -> ConflictError:
        return ConflictError(f"{self.describe(key)} has been changed by another program")

    def _call(self, call: Callable[[Any], T], **absent: T) -> T:
        """Call the store, with retries, and return its answer.

        Args:
            call: makes the request.
            absent: what to return for a missing object; without it, that raises _UnmetError.

        Raises:
            _UnmetError: a condition is not met.
            StateError: the store cannot be reached, or refuses.
        """
        pauses = iter(self._patience.pauses)
        while True:
            store = self._connect()
            refusal = _attempt(call, store)
            if not isinstance(refusal, FailedCall):
                return refusal
            if refusal.kind == "absent" and "absent" in absent:
                return absent["absent"]
            if refusal.kind in ("absent", "unmet"):
                raise _UnmetError
            pause = next(pauses, None) if refusal.passes else None
            if pause is None:
                raise self._remedies.make_error(self.url, refusal)
            self._patience.sleep(pause * random.uniform(1, 1.5))  # noqa: S311 -- no secret


@lru_cache(maxsize=16)
def connect_obstore(
    kind: str, url: BucketUrl, config: tuple[tuple[str, Any], ...], patience: Timeouts
) -> Any:
    """Make the obstore store of a class by its name, once for the same arguments."""
    from obstore import store

    return make_obstore(getattr(store, kind), url, dict(config), patience)


def make_obstore(
    kind: Any, url: BucketUrl, config: Mapping[str, Any], patience: Timeouts, **more: Any
) -> Any:
    """Make obstore's store for a URL, without a request.

    Args:
        more: other arguments of the class.

    Raises:
        StateError: the configuration is invalid.
    """
    from obstore.exceptions import BaseError

    prefix = url.prefix.rstrip("/") or None
    try:
        return kind(url.bucket, prefix=prefix, config=config, **patience.for_obstore, **more)
    except (BaseError, OSError, ValueError):
        raise StateError(
            f"{url.public_url}: the settings are invalid",
            remedy="Check the URL's options and the credentials in the environment.",
        ) from None


class _UnmetError(Exception):
    """The condition of a write is not met."""


def _attempt(call: Callable[[Any], T], store: Any) -> "T | FailedCall":
    from obstore.exceptions import BaseError

    try:
        return call(store)
    except (BaseError, OSError) as error:
        return read_refusal(error)
