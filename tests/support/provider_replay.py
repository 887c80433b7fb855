"""Replay the requests of the Terraform provider, and expect the plan after them to be empty.

The provider creates a resource, reads it, and compares what it read with the configuration. This
module does the same for one resource:

    from tests.support.provider_replay import Kind, replay

    QUEUE = Kind(
        create="POST /queues",
        read="GET /queues/{queue_id}",
        update="PUT /queues/{queue_id}",
        delete="DELETE /queues/{queue_id}",
    )

    def test_a_queue_converges(account: Account) -> None:
        replay(account, QUEUE, {"queue_name": "q"}, then={"queue_name": "r"})

Take the requests from the provider's `resource.go`, and the sets of names from the tags in its
`model.go`: `optional` goes to `optional`, `no_refresh` to `unread`. Names with `computed` may have
any value that the configuration does not give, so they are in neither set.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

Body = Mapping[str, Any]
_MODULE = "application/javascript+module"


class Client(Protocol):
    """An account whose client has the account's path as its base, such as `emulated.Account`."""

    @property
    def http(self) -> httpx.Client: ...


@dataclass(frozen=True)
class Kind:
    """The requests of a kind of resource; paths are below the account, or full URLs for zones.

    Attributes:
        update: empty if the provider replaces the resource instead.
        delete: empty if the provider only forgets the resource.
        optional: a value in the answer that the configuration does not give is a change in the
            plan; inside objects the names are dotted, such as `observability.logs`.
        unread: sent, and not compared with the answer.
        reads: other requests of the provider's Read, which must succeed.
        placed: sent in the path only.
        script: the resource is uploaded as a multipart form, with `content` as its module.
    """

    create: str
    read: str
    update: str = ""
    delete: str = ""
    optional: frozenset[str] = field(default=frozenset())
    unread: frozenset[str] = field(default=frozenset())
    reads: tuple[str, ...] = ()
    placed: frozenset[str] = field(default=frozenset())
    script: bool = False


def replay(account: Client, kind: Kind, configured: Body, *, then: Body | None = None) -> Any:
    """Create a resource, expect an empty plan, update it to `then`, and destroy it.

    Returns:
        What the last Read answered.
    """
    resource = Resource(account, kind)
    resource.create(configured)
    read = resource.expect_empty_plan()
    if then is not None:
        resource.update(then)
        read = resource.expect_empty_plan()
    resource.destroy()
    return read


class Resource:
    """One resource in the provider's state; use it instead of `replay` to act between two steps."""

    def __init__(self, account: Client, kind: Kind) -> None:
        self._account = account
        self._kind = kind
        self._words: dict[str, str] = {}
        self._configured: Body = {}

    def create(self, configured: Body) -> Any:
        """Send the request of Create, and store what the answer says of the resource."""
        return self._write(self._kind.create, configured)

    def update(self, configured: Body) -> Any:
        """Send the request of Update."""
        return self._write(self._kind.update, configured)

    def expect_empty_plan(self) -> Any:
        """Read the resource twice, and compare it with the configuration."""
        for path in self._kind.reads:
            self._send(path)
        read = _result(self._send(self._kind.read))
        found = list(planned_changes(self._kind, self._configured, read))
        assert not found, f"{self._kind.read}: the plan is not empty: {'; '.join(found)}"
        return read

    def destroy(self) -> None:
        """Delete the resource, and expect Read to find nothing."""
        if not self._kind.delete:
            return
        self._send(self._kind.delete)
        method, path = self._request(self._kind.read)
        response = self._account.http.request(method, path)
        assert response.status_code == 404, f"{path} after its deletion: {response.text}"

    def _write(self, operation: str, configured: Body) -> Any:
        self._configured = configured
        self._remember(configured)
        sent = {name: value for name, value in configured.items() if name not in self._kind.placed}
        body = {"files": _form(sent)} if self._kind.script else {"json": sent}
        answered = _result(self._send(operation, **body))
        if isinstance(answered, Mapping):
            self._remember(answered)
        return answered

    def _remember(self, values: Body) -> None:
        self._words |= {name: value for name, value in values.items() if isinstance(value, str)}

    def _request(self, operation: str) -> tuple[str, str]:
        method, path = operation.split(" ", 1)
        return method, path.format_map(self._words)

    def _send(self, operation: str, **arguments: Any) -> httpx.Response:
        method, path = self._request(operation)
        response = self._account.http.request(method, path, **arguments)
        assert response.status_code < 300, f"{method} {path}: {response.text}"
        return response


def planned_changes(kind: Kind, configured: Body, read: Any, within: str = "") -> Iterator[str]:
    """List what the provider would plan to change, as `name: read -> configured`."""
    for name, value in configured.items():
        path = f"{within}{name}"
        if path in kind.unread or path in kind.placed or (kind.script and path == "content"):
            continue
        yield from _changes_of(kind, path, value, read.get(name))
    for path in kind.optional:
        parent, _, name = path.rpartition(".")
        if f"{parent}." == within or not (parent or within):
            extra = read.get(name)
            if name not in configured and extra is not None:
                yield f"{path}: {extra!r} -> null"


def _changes_of(kind: Kind, path: str, value: Any, found: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and isinstance(found, Mapping):
        yield from planned_changes(kind, value, found, f"{path}.")
    elif isinstance(value, list) and isinstance(found, list) and len(value) == len(found):
        for ours, theirs in zip(value, found, strict=True):
            yield from _changes_of(kind, path, ours, theirs)
    elif value != found:
        yield f"{path}: {found!r} -> {value!r}"


def _result(response: httpx.Response) -> Any:
    if "json" not in response.headers.get("content-type", ""):
        return None
    return response.json()["result"]


def _form(metadata: Body) -> dict[str, tuple[str, str, str]]:
    """Encode an upload as the provider does: its metadata, and one module."""
    described = {name: value for name, value in metadata.items() if name != "content"}
    module = str(described.setdefault("main_module", "worker.js"))
    return {
        "metadata": ("metadata", json.dumps(described), "application/json"),
        module: (module, str(metadata["content"]), _MODULE),
    }
