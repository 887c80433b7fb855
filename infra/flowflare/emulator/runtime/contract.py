"""Define what the services need from the Workers runtime; `Workers` implements it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from flowflare.emulator.services.scripts.script import Module


@dataclass(frozen=True)
class Deletions:
    """List what was deleted, by ID."""

    databases: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoreRequest:
    """Describe a request to stored data, in the protocol between Workers and their bindings.

    Attributes:
        store: `kv` or `r2`.
        key: the key of the namespace or bucket, see `Target`.
        path: with the query, percent-encoded.
    """

    store: Literal["kv", "r2"]
    key: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class StoreAnswer:
    """Hold the answer to a `StoreRequest`; the names of the headers are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Runtime(Protocol):
    """Run the Workers of all accounts. Every method but `url` raises EmulatorError if it cannot."""

    async def publish(self, account: str, deletions: Deletions | None = None) -> None:
        """Load the changes of an account's stored scripts, and remove deleted data."""

    async def probe(
        self, modules: Sequence[Module], *, service_worker: bool, date: str, flags: Sequence[str]
    ) -> Any:
        """Start an upload alone, and return what it `exports` or its `problem`."""

    async def query(self, database: str, queries: list[dict[str, Any]]) -> Any:
        """Run queries on a database in one transaction: `rows`, an export's `dump`, or `error`."""

    async def file_of(self, database: str) -> Path:
        """Return the SQLite file of a database, which other processes may open too."""

    async def measure_bucket(self, bucket: str) -> dict[str, int]:
        """Count an R2 bucket's `objects`, their `bytes` and their `metadata_bytes`."""

    async def ask_store(self, request: StoreRequest) -> StoreAnswer:
        """Send a request to the data of a KV namespace or R2 bucket, as bound Workers do."""

    async def queue(self, operation: str, **parameters: Any) -> Any:
        """Change or read the messages or settings of queues, as the wire's `operation` does."""

    async def objects_of(self, namespace: str) -> list[str]:
        """List the IDs of a namespace's Durable Objects that have stored data, sorted."""

    async def instances(self, workflow: str) -> list[dict[str, Any]]:
        """List the instances of a Workflow, by its ID, the newest first."""

    async def instance(self, workflow: str, identity: str) -> dict[str, Any]:
        """Return an `instance` of a Workflow, or None in its place, and its `log`."""

    async def create_instance(self, account: str, script: str, workflow: str, given: Any) -> None:
        """Start an instance of a Workflow that a script runs, and wait until it is stored."""

    async def change_instance(
        self, account: str, script: str, workflow: str, identity: str, change: Any
    ) -> None:
        """Change an instance that exists, in a way that its state allows."""

    async def tails_port(self) -> int:
        """Return the port on which the WebSockets of tails are served."""

    def url(self, account: str, script: str) -> str:
        """Return a script's address, which answers if its workers.dev subdomain is enabled."""
