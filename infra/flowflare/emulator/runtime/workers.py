"""Own the Node child: restart it when it dies, and send it the changes of each account."""

import asyncio
import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flowflare.emulator.database import Database
from flowflare.emulator.distance import Distances
from flowflare.emulator.json_text import NotJsonError, write_json
from flowflare.emulator.runtime.asset_folders import AssetFolders
from flowflare.emulator.runtime.bridge import Bridge, Event, Programs, RuntimeEnded
from flowflare.emulator.runtime.changes import Changes
from flowflare.emulator.runtime.contents import Reader, items_of
from flowflare.emulator.runtime.contract import Deletions, StoreAnswer, StoreRequest
from flowflare.emulator.runtime.document import (
    down_document,
    key_of,
    module_document,
    worker_document,
)
from flowflare.emulator.runtime.ports import Ports
from flowflare.emulator.runtime.published import Published
from flowflare.emulator.runtime.stores import StoresClient
from flowflare.emulator.runtime.subscriptions import Subscriptions
from flowflare.emulator.services.routing.store import RoutingStore
from flowflare.emulator.services.scripts.script import Module, Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.workflows.store import WorkflowsStore
from flowflare.errors import EmulatorError

_LOG = logging.getLogger("emulator")
_MAX_RESTARTS = 5
_MAX_PROBES = 1_000
_NOT_REPEATED = {
    "d1": "query",
    "instance_create": "creation of an instance",
    "instance_change": "change of an instance",
    "queue_push": "push to a queue",
}
"""What may have happened before the runtime ended, by operation."""


class _GaveUpError(EmulatorError):
    def __init__(self, restarts: int) -> None:
        super().__init__(
            f"The Workers runtime ended {restarts} times and will not be restarted.",
            remedy="Read its log (flowflare emulator logs), then run: flowflare emulator stop",
        )


class Workers:
    """Run all Workers of all accounts, as `contract.Runtime` says.

    Args:
        programs: the paths of Node and its packages.
    """

    def __init__(
        self, programs: Programs, data: Path, database: Database, distances: Distances
    ) -> None:
        self._programs = programs
        self._distances = distances
        self._data = data
        self._database = database
        self._ports = Ports(database)
        self._asset_folders = AssetFolders(database, data / "assets")
        self._reader: Reader
        self._bridge: Bridge | None = None
        self._stores = StoresClient()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changes = Changes(database)
        self._subscriptions = Subscriptions(database)
        self._published: dict[str, Published] = {}
        self._limits: dict[str, float] | None = None
        self._files: dict[str, Path] = {}
        self._probes: dict[str, asyncio.Future[Any]] = {}
        self._ready = asyncio.Event()
        self._broken: EmulatorError | None = None
        self._restarts = 0
        self._reviving = False
        self.crashes = 0

    def know(self, scripts: ScriptsStore, workflows: WorkflowsStore, routing: RoutingStore) -> None:
        """Connect the stores of scripts, Workflows and routes."""
        self._reader = Reader(self._database, scripts, workflows, routing, self._asset_folders)

    async def start(self) -> None:
        """Start the child and publish all accounts.

        Raises:
            EmulatorError: the child does not start.
        """
        bridge = await Bridge.launch(self._programs, self._data, self._handle_event, self._revive)
        self._bridge = bridge
        self._published.clear()
        self._asset_folders.clear()
        self._subscriptions.clear()
        try:
            await bridge.ask("start", known=self._list_stored())
            await bridge.ask("queues", settings=self._reader.queue_settings())
            for account in self._subscriptions.accounts():
                await self._send_subscriptions(bridge, account)
            if self._limits:
                await bridge.ask("limit", **self._limits)
            for row in self._database.rows("SELECT DISTINCT account FROM scripts"):
                await self._publish_alone(bridge, row["account"])
        except RuntimeEnded:
            raise EmulatorError(
                "The Workers runtime ended while it was starting.",
                remedy="Read why in the emulator's log: flowflare emulator logs",
            ) from None
        self._ready.set()

    def health(self) -> dict[str, str]:
        """Report `status`: `ready`, `restarting`, or `failed` with the `problem`."""
        if self._broken is not None:
            return {"status": "failed", "problem": self._broken.message}
        return {"status": "ready" if self._ready.is_set() else "restarting"}

    async def stop(self) -> None:
        """Stop the child and workerd."""
        if self._bridge is not None:
            await self._bridge.stop()

    async def publish(self, account: str, deletions: Deletions | None = None) -> None:
        """Send the child what changed in an account; it reloads when it is ready."""
        await self._ready.wait()
        if self._broken is not None:
            raise self._broken
        if self._bridge is not None:
            await self._publish(self._bridge, account)
        if deletions is not None and deletions != Deletions():
            await self._ask("forget", **{key: list(ids) for key, ids in vars(deletions).items()})

    async def move(self, account: str | None) -> None:
        """Reload an account's Workers, or all, whose distance has changed."""
        await self._ready.wait()
        for known in [account] if account else list(self._published):
            if self._bridge is not None:
                await self._publish(self._bridge, known, everything=True)

    async def query(self, database: str, queries: list[dict[str, Any]]) -> Any:
        """Run queries on a database in one transaction."""
        return await self._ask("d1", database=database, queries=queries)

    async def file_of(self, database: str) -> Path:
        """Return the SQLite file of a database."""
        if database not in self._files:
            answer = await self._ask("d1_file", database=database)
            self._files[database] = Path(answer["path"])
        return self._files[database]

    async def measure_bucket(self, bucket: str) -> dict[str, int]:
        """Count a bucket's objects and bytes."""
        return dict(await self._ask("bucket", bucket=bucket))

    async def ask_store(self, request: StoreRequest) -> StoreAnswer:
        """Send a request to stored data."""
        access = await self._ask("stores")
        return await self._stores.ask(access["address"], access["secret"], request)

    async def queue(self, operation: str, **parameters: Any) -> Any:
        """Change or read the messages or settings of queues."""
        return await self._ask(operation, **parameters)

    async def objects_of(self, namespace: str) -> list[str]:
        """List the IDs of a namespace's Durable Objects that have stored data, sorted."""
        return list((await self._ask("objects", namespace=namespace))["ids"])

    async def probe(
        self, modules: Sequence[Module], *, service_worker: bool, date: str, flags: Sequence[str]
    ) -> Any:
        """Start an upload alone; return its `exports` or its `problem`.

        Answers are cached by everything that they depend on: code and compatibility, but not
        bindings. A problem is not cached, because the machine may only have been slow.
        """
        upload = {
            "modules": [module_document(module) for module in modules],
            "service_worker": service_worker,
            "compatibility_date": date,
            "compatibility_flags": list(flags),
        }
        digest = hashlib.sha256(json.dumps(upload).encode()).hexdigest()
        if digest not in self._probes:
            while len(self._probes) >= _MAX_PROBES:
                del self._probes[next(iter(self._probes))]
            self._probes[digest] = asyncio.ensure_future(self._ask("probe", **upload))
        probe = self._probes[digest]
        try:
            answer = await asyncio.shield(probe)
        except EmulatorError:
            self._forget_probe(digest, probe)
            raise
        if "problem" in answer:
            self._forget_probe(digest, probe)
        return answer

    def _forget_probe(self, digest: str, probe: asyncio.Future[Any]) -> None:
        if self._probes.get(digest) is probe:
            del self._probes[digest]

    async def settle(self, account: str | None) -> Any:
        """Wait until workerd runs the last uploads; return `problems` of failed Workers."""
        return await self._ask("settle", account=account)

    async def scheduled(self, account: str, script: str, cron: str, time: int) -> str:
        """Run a script's `scheduled` handler and return its outcome."""
        runs = {"account": account, "key": key_of(account, script)}
        return str((await self._ask("scheduled", **runs, cron=cron, time=time))["outcome"])

    async def instances(self, workflow: str) -> list[dict[str, Any]]:
        """List the instances of a Workflow."""
        return list((await self._ask("instances", workflow=workflow))["instances"])

    async def instance(self, workflow: str, identity: str) -> dict[str, Any]:
        """Return an instance with its log."""
        return dict(await self._ask("instance", workflow=workflow, id=identity))

    async def create_instance(self, account: str, script: str, workflow: str, given: Any) -> None:
        """Start an instance of a Workflow."""
        runs = {"account": account, "key": key_of(account, script), "workflow": workflow}
        await self._ask("instance_create", **runs, given=given)

    async def change_instance(
        self, account: str, script: str, workflow: str, identity: str, change: Any
    ) -> None:
        """Change an instance of a Workflow."""
        runs = {"account": account, "key": key_of(account, script), "workflow": workflow}
        await self._ask("instance_change", **runs, id=identity, change=change)

    async def tails_port(self) -> int:
        """Return the port on which the WebSockets of tails are served."""
        return int((await self._ask("tails"))["port"])

    async def limit(self, units: int, idle_seconds: float) -> None:
        """Set how many units stay loaded, and how long other idle units stay loaded."""
        self._limits = {"units": units, "idle": idle_seconds * 1000}
        await self._ask("limit", **self._limits)

    async def describe(self) -> Any:
        """Describe the loaded units."""
        return await self._ask("workers")

    def url(self, account: str, script: str) -> str:
        """Return a script's address, which answers if its workers.dev subdomain is enabled."""
        return f"http://127.0.0.1:{self._ports.find(account, script)}"

    async def _ask(self, operation: str, **parameters: Any) -> Any:
        """Send the child a request, and retry after a restart if the request changes nothing."""
        while True:
            await self._ready.wait()
            if self._broken is not None:
                raise self._broken
            assert self._bridge is not None
            try:
                return await self._bridge.ask(operation, **parameters)
            except RuntimeEnded:
                if operation in _NOT_REPEATED:
                    message = f"The Workers runtime ended during the {_NOT_REPEATED[operation]}."
                    raise EmulatorError(message) from None
                await asyncio.sleep(0.05)

    async def _publish_alone(self, bridge: Bridge, account: str) -> None:
        """Publish one account; its failure does not affect other accounts."""
        try:
            await self._publish(bridge, account)
        except EmulatorError as error:
            _LOG.error("account %s cannot run: %s", account, error)

    async def _publish(self, bridge: Bridge, account: str, *, everything: bool = False) -> None:
        async with self._locks[account]:
            await self._send_subscriptions(bridge, account)
            published = self._published.get(account)
            ports_in_use = await self._send_changes(
                bridge,
                account,
                published or Published(),
                everything=everything or published is None,
            )
            while ports_in_use:
                for port in ports_in_use:
                    self._ports.move(account, port)
                ports_in_use = await self._send_changes(
                    bridge, account, self._published[account], everything=False
                )

    async def _send_subscriptions(self, bridge: Bridge, account: str) -> None:
        changed = self._subscriptions.find_change(account)
        if changed is None:
            return
        with suppress(RuntimeEnded):  # the next child receives everything
            await bridge.ask("subscriptions", account=account, subscriptions=changed)
            self._subscriptions.remember(account, changed)

    async def _send_changes(
        self, bridge: Bridge, account: str, published: Published, *, everything: bool
    ) -> list[int]:
        """Send the child all or only changed scripts. Returns the ports that other programs use."""
        number, items = self._changes.of(account)
        names = published.find_affected(items) | (
            self._reader.names(account) if everything else set()
        )
        scripts = self._reader.scripts(account, names)
        documents, depends = {}, {}
        for name, script in scripts.items():
            documents[name], depends[name] = self._document(script)
        changed = [
            document
            for name, document in documents.items()
            if published.documents.get(name) != document
        ]
        removed = [name for name in published.documents.keys() & names if name not in scripts]
        code = {
            script.etag: [module_document(module) for module in self._reader.modules(script)]
            for name, script in scripts.items()
            if "down" not in documents[name] and not published.has_code(script.etag)
        }
        keys = [key_of(account, name) for name in removed]
        change = {"account": account, "changed": changed, "removed": keys}
        try:
            answer = await bridge.ask("account", change=change, code=code)
        except RuntimeEnded:
            return []  # the next child receives everything
        published.record(removed, documents, depends)
        self._published[account] = published
        self._changes.forget(account, number)
        return list(answer["taken"])

    def _document(self, script: Script) -> tuple[dict[str, Any], frozenset[str]]:
        """Return a script's document and what it depends on.

        A script with invalid rows is down; the other scripts run.
        """
        port = self._ports.find(script.account, script.name)
        problem = script.problem
        if problem is None and not script.number:
            problem = "none of its versions is deployed"
        if problem is None:
            try:
                contents = self._reader.contents(script, port)
                distance = self._distances.of(script.account)
                document = worker_document(script, contents, distance)
                write_json(document)
            except (NotJsonError, LookupError, TypeError, ValueError, AttributeError):
                _LOG.exception("script %s of account %s", script.name, script.account)
                problem = "its stored data is invalid"
            else:
                return document, items_of(script, contents)
        return down_document(script, port, problem), frozenset({f"script/{script.name}"})

    def _list_stored(self) -> dict[str, list[str]]:
        tables = {"databases": "uuid", "namespaces": "id", "workflows": "id", "targets": "key"}
        return {
            table: [row[0] for row in self._database.rows(f"SELECT {column} FROM {table}")]  # noqa: S608
            for table, column in tables.items()
        }

    def _handle_event(self, event: Event) -> None:
        kind = event["event"]
        if kind == "crashed":
            self.crashes += 1
        level = logging.WARNING if kind in {"crashed", "note"} else logging.INFO
        details = {key: value for key, value in event.items() if key != "event"}
        _LOG.log(level, "runtime %s %s", kind, details or "")

    async def _revive(self) -> None:
        """Restart the child after it died; give up after too many failures."""
        if self._reviving:
            # The child died while it was starting: the caller of `start` sees that and handles it.
            return
        self._reviving = True
        self._ready.clear()
        while not self._ready.is_set():
            self._restarts += 1
            _LOG.error("the Workers runtime ended; restarting it (%d)", self._restarts)
            try:
                if self._restarts > _MAX_RESTARTS:
                    raise _GaveUpError(self._restarts)
                await self.start()
            except _GaveUpError as error:
                self._broken = error
                self._ready.set()
            except Exception:  # noqa: BLE001 -- requests wait until it runs or has failed too often
                _LOG.exception("the Workers runtime does not start")
        self._reviving = False
