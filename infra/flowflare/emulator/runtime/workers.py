"""The Workers as the services see them: published, asked, forgotten; and where they answer.

It owns the Node child, starts it anew when it dies, and tells it what changed of an account.
"""

import asyncio
import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowflare.emulator.database import Database
from flowflare.emulator.json_text import NotJsonError, write_json
from flowflare.emulator.runtime.bridge import Bridge, Event, Programs, RuntimeGone
from flowflare.emulator.runtime.changes import Changes
from flowflare.emulator.runtime.contents import Reader, things_of
from flowflare.emulator.runtime.document import (
    code_of,
    down_document,
    key_of,
    module_document,
    worker_document,
)
from flowflare.emulator.runtime.told import Told
from flowflare.emulator.services.routing.store import RoutingStore
from flowflare.emulator.services.scripts.script import Module, Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.workflows.store import WorkflowsStore
from flowflare.errors import EmulatorError

_LOG = logging.getLogger("emulator")
# Below the range from which Linux takes ports for outgoing connections: a Worker's port must still
# be free after a restart.
_FIRST_PORT, _PORTS = 20_000, 10_000
_MOST_RESTARTS = 5
_MOST_PROBES = 1_000


@dataclass(frozen=True)
class Gone:
    """What was deleted, by id."""

    databases: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class _GaveUpError(EmulatorError):
    def __init__(self, restarts: int) -> None:
        super().__init__(
            f"The Workers runtime ended {restarts} times and is not started again.",
            remedy="Its log says why: flowflare emulator logs. Then: flowflare emulator stop",
        )


class Workers:
    """All Workers of all accounts.

    Args:
        programs: where Node and its packages are.
        data: the folder of the Workers' data.
        database: the emulator's file.
    """

    def __init__(self, programs: Programs, data: Path, database: Database) -> None:
        self._programs = programs
        self._data = data
        self._database = database
        self._reader: Reader
        self._bridge: Bridge | None = None
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changes = Changes(database)
        self._told: dict[str, Told] = {}
        self._limits: dict[str, float] | None = None
        self._files: dict[str, Path] = {}
        self._probes: dict[str, asyncio.Future[Any]] = {}
        self._ready = asyncio.Event()
        self._broken: EmulatorError | None = None
        self._restarts = 0
        self._reviving = False
        self.crashes = 0

    def know(self, scripts: ScriptsStore, workflows: WorkflowsStore, routing: RoutingStore) -> None:
        """Is told where scripts, Workflows and routes are kept."""
        self._reader = Reader(self._database, scripts, workflows, routing)

    async def start(self) -> None:
        """Starts the child and tells it of all accounts.

        Raises:
            EmulatorError: it does not start.
        """
        bridge = await Bridge.launch(self._programs, self._data, self._hear, self._revive)
        self._bridge = bridge
        self._told.clear()
        try:
            await bridge.ask("start", known=self._known())
            if self._limits:
                await bridge.ask("limit", **self._limits)
            for row in self._database.rows("SELECT DISTINCT account FROM scripts"):
                await self._publish_alone(bridge, row["account"])
        except RuntimeGone:
            raise EmulatorError(
                "The Workers runtime ended while it started.",
                remedy="Its last words are in the emulator's log.",
            ) from None
        self._ready.set()

    def health(self) -> dict[str, str]:
        """Report `status`: `ready`, `restarting`, or `failed` with the `problem`."""
        if self._broken is not None:
            return {"status": "failed", "problem": self._broken.message}
        return {"status": "ready" if self._ready.is_set() else "restarting"}

    async def stop(self) -> None:
        """Ends the child and workerd."""
        if self._bridge is not None:
            await self._bridge.stop()

    async def publish(self, account: str, gone: Gone | None = None) -> None:
        """Tells the child what the account has now; it reloads in its own time.

        Args:
            account: whose scripts, Workflows or databases changed.
            gone: what was deleted; its data is removed.
        """
        await self._ready.wait()
        if self._broken is not None:
            raise self._broken
        if self._bridge is not None:
            await self._publish(self._bridge, account)
        if gone is not None and gone != Gone():
            await self._ask("forget", **{key: list(ids) for key, ids in vars(gone).items()})

    async def query(self, database: str, queries: list[dict[str, Any]]) -> Any:
        """Runs queries on a database in one transaction: `rows`, an export's `dump`, or `error`."""
        return await self._ask("d1", database=database, queries=queries)

    async def file_of(self, database: str) -> Path:
        """The SQLite file of a database, which others may open beside workerd."""
        if database not in self._files:
            answer = await self._ask("d1_file", database=database)
            self._files[database] = Path(answer["path"])
        return self._files[database]

    async def objects_of(self, namespace: str) -> list[str]:
        """The ids of a namespace's Durable Objects that have stored something, in order."""
        answer = await self._ask("objects", namespace=namespace)
        return [str(each) for each in answer["ids"]]

    async def probe(
        self, modules: Sequence[Module], *, service_worker: bool, date: str, flags: Sequence[str]
    ) -> Any:
        """Starts an upload alone: `exports`, or `problem`.

        What was found is remembered by all that the answer depends on: bindings are no part of it,
        code and compatibility are. A problem is looked at anew, the machine may have been slow.
        """
        upload = {
            "modules": [module_document(each) for each in modules],
            "service_worker": service_worker,
            "compatibility_date": date,
            "compatibility_flags": list(flags),
        }
        digest = hashlib.sha256(json.dumps(upload).encode()).hexdigest()
        if digest not in self._probes:
            while len(self._probes) >= _MOST_PROBES:
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
        """Waits until workerd runs what was uploaded: `problems` of Workers that do not start."""
        return await self._ask("settle", account=account)

    async def scheduled(self, account: str, script: str, cron: str, time: int) -> str:
        """Runs a script's `scheduled` handler and returns its outcome."""
        key = key_of(account, script)
        answer = await self._ask("scheduled", account=account, key=key, cron=cron, time=time)
        return str(answer["outcome"])

    async def limit(self, units: int, idle_seconds: float) -> None:
        """Sets how many units stay loaded, and how long others do that nobody asks for."""
        self._limits = {"units": units, "idle": idle_seconds * 1000}
        await self._ask("limit", **self._limits)

    async def describe(self) -> Any:
        """Which units are loaded."""
        return await self._ask("workers")

    def url(self, account: str, script: str) -> str:
        """Where a script answers when its workers.dev subdomain is enabled."""
        return f"http://127.0.0.1:{self._port(account, script)}"

    async def _ask(self, operation: str, **parameters: Any) -> Any:
        """Asks the child; once more after it was started anew, if what is asked changes nothing."""
        while True:
            await self._ready.wait()
            if self._broken is not None:
                raise self._broken
            assert self._bridge is not None
            try:
                return await self._bridge.ask(operation, **parameters)
            except RuntimeGone:
                if operation == "d1":
                    raise EmulatorError("The Workers runtime ended during the query.") from None
                await asyncio.sleep(0.05)

    async def _publish_alone(self, bridge: Bridge, account: str) -> None:
        """Tell the child of one account; what goes wrong with it is no other account's trouble."""
        try:
            await self._publish(bridge, account)
        except EmulatorError as error:
            _LOG.error("account %s cannot be run: %s", account, error)

    async def _publish(self, bridge: Bridge, account: str) -> None:
        async with self._locks[account]:
            told = self._told.get(account)
            taken = await self._tell(bridge, account, told or Told(), everything=told is None)
            while taken:
                for port in taken:
                    self._move(account, port)
                taken = await self._tell(bridge, account, self._told[account], everything=False)

    async def _tell(
        self, bridge: Bridge, account: str, told: Told, *, everything: bool
    ) -> list[int]:
        """Tells the child what changed, or all there is; returns the ports that others hold."""
        number, things = self._changes.of(account)
        names = told.concerned(things) | (self._reader.names(account) if everything else set())
        scripts = self._reader.scripts(account, names)
        documents, depends = {}, {}
        for name, script in scripts.items():
            documents[name], depends[name] = self._document(script)
        changed = [each for name, each in documents.items() if told.documents.get(name) != each]
        removed = [name for name in told.documents.keys() & names if name not in scripts]
        code = {
            code_of(each): [module_document(part) for part in self._reader.modules(each)]
            for name, each in scripts.items()
            if "down" not in documents[name] and not told.has_code(code_of(each))
        }
        keys = [key_of(account, name) for name in removed]
        change = {"account": account, "changed": changed, "removed": keys}
        try:
            answer = await bridge.ask("account", change=change, code=code)
        except RuntimeGone:
            return []  # the child that follows is told everything
        told.note(removed, documents, depends)
        self._told[account] = told
        self._changes.forget(account, number)
        return list(answer["taken"])

    def _document(self, script: Script) -> tuple[dict[str, Any], frozenset[str]]:
        """What the child is told of a script, and what that depends on.

        A script whose rows are not in order is down by itself: no other waits for it to be mended.
        """
        port = self._port(script.account, script.name)
        problem = script.problem
        if problem is None:
            try:
                contents = self._reader.contents(script, port)
                document = worker_document(script, contents)
                write_json(document)
            except (NotJsonError, LookupError, TypeError, ValueError, AttributeError):
                _LOG.exception("script %s of account %s", script.name, script.account)
                problem = "what is stored of it is not in order"
            else:
                return document, things_of(script, contents.workflows.values())
        return down_document(script, port, problem), frozenset({f"script/{script.name}"})

    def _known(self) -> dict[str, list[str]]:
        tables = {"databases": "uuid", "namespaces": "id", "workflows": "id", "targets": "key"}
        return {
            table: [row[0] for row in self._database.rows(f"SELECT {column} FROM {table}")]  # noqa: S608
            for table, column in tables.items()
        }

    def _port(self, account: str, script: str) -> int:
        row = self._database.row(
            "SELECT port FROM ports WHERE account = ? AND script = ?", account, script
        )
        if row is not None:
            return int(row["port"])
        digest = hashlib.sha256(f"{account}/{script}".encode()).digest()
        port = self._free(int.from_bytes(digest[:4]))
        self._database.run("INSERT INTO ports VALUES (?, ?, ?)", account, script, port)
        return port

    def _move(self, account: str, port: int) -> None:
        _LOG.warning("port %d is taken by another program; its Worker moves", port)
        self._database.run(
            "UPDATE ports SET port = ? WHERE account = ? AND port = ?",
            self._free(port + 1),
            account,
            port,
        )

    def _free(self, start: int) -> int:
        held = {row["port"] for row in self._database.rows("SELECT port FROM ports")}
        for offset in range(_PORTS):
            port = _FIRST_PORT + (start + offset) % _PORTS
            if port not in held:
                return port
        raise EmulatorError("All ports for Workers are in use.")

    def _hear(self, event: Event) -> None:
        kind = event["event"]
        if kind == "crashed":
            self.crashes += 1
        level = logging.WARNING if kind in {"crashed", "note"} else logging.INFO
        details = {key: value for key, value in event.items() if key != "event"}
        _LOG.log(level, "runtime %s %s", kind, details or "")

    async def _revive(self) -> None:
        """Start the child again after it died, until that has failed too often."""
        if self._reviving:
            return  # The child died while it started: whoever starts it sees that and goes on.
        self._reviving = True
        self._ready.clear()
        while not self._ready.is_set():
            self._restarts += 1
            _LOG.error("the Workers runtime ended; starting it again (%d)", self._restarts)
            try:
                if self._restarts > _MOST_RESTARTS:
                    raise _GaveUpError(self._restarts)
                await self.start()
            except _GaveUpError as error:
                self._broken = error
                self._ready.set()
            except Exception:  # noqa: BLE001 -- requests wait until it runs or has failed too often
                _LOG.exception("the Workers runtime does not start")
        self._reviving = False
