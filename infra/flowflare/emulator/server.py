"""Assemble the emulator: stores, services, the control API and the middleware around them."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from uvicorn.protocols.http.h11_impl import H11Protocol

from flowflare.emulator import codes
from flowflare.emulator.control import Control
from flowflare.emulator.cron_clock import CronClock
from flowflare.emulator.database import Database
from flowflare.emulator.distance import Distances
from flowflare.emulator.doors import Doors, Tokens
from flowflare.emulator.envelope import Refusal, failure, refusal
from flowflare.emulator.faults import Faults
from flowflare.emulator.front import FrontDoor
from flowflare.emulator.middleware import Gatekeeper
from flowflare.emulator.rate_limit import RateLimit
from flowflare.emulator.request_log import RequestLog
from flowflare.emulator.requests import API
from flowflare.emulator.runtime.bridge import Programs
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.accounts.routes import AccountRoutes
from flowflare.emulator.services.accounts.store import AccountsStore
from flowflare.emulator.services.assets.routes import AssetRoutes
from flowflare.emulator.services.assets.store import AssetsStore
from flowflare.emulator.services.consumers.routes import ConsumerRoutes
from flowflare.emulator.services.consumers.store import ConsumersStore
from flowflare.emulator.services.d1.history import History
from flowflare.emulator.services.d1.routes import D1Routes
from flowflare.emulator.services.d1.store import D1Store
from flowflare.emulator.services.dns.routes import DnsRoutes
from flowflare.emulator.services.dns.store import DnsStore
from flowflare.emulator.services.durable_objects.routes import DurableObjectRoutes
from flowflare.emulator.services.graphql.routes import GraphqlRoutes
from flowflare.emulator.services.kv.routes import ValueRoutes
from flowflare.emulator.services.kv.store import ValuesStore
from flowflare.emulator.services.messages.routes import MessageRoutes
from flowflare.emulator.services.r2.routes import ObjectRoutes
from flowflare.emulator.services.r2.rules import BucketRuleRoutes
from flowflare.emulator.services.r2.store import ObjectsStore
from flowflare.emulator.services.routing.of_script import ScriptRoutingRoutes
from flowflare.emulator.services.routing.routes import RoutingRoutes
from flowflare.emulator.services.routing.store import RoutingStore
from flowflare.emulator.services.schedules.routes import ScheduleRoutes
from flowflare.emulator.services.schedules.store import SchedulesStore
from flowflare.emulator.services.scripts.routes import ScriptRoutes
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.secrets.routes import SecretRoutes
from flowflare.emulator.services.secrets.store import SecretsStore
from flowflare.emulator.services.secrets_store.routes import SecretsStoreRoutes
from flowflare.emulator.services.secrets_store.store import SecretStores
from flowflare.emulator.services.subdomain.routes import SubdomainRoutes
from flowflare.emulator.services.subscriptions.routes import SubscriptionRoutes
from flowflare.emulator.services.subscriptions.store import SubscriptionsStore
from flowflare.emulator.services.tails.routes import TailRoutes
from flowflare.emulator.services.tails.store import TailsStore
from flowflare.emulator.services.targets.routes import TargetRoutes
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.versions.deployments import DeploymentsStore
from flowflare.emulator.services.versions.routes import VersionRoutes
from flowflare.emulator.services.workers.routes import WorkerRoutes
from flowflare.emulator.services.workers.store import WorkersStore
from flowflare.emulator.services.workflows.instance_routes import InstanceRoutes
from flowflare.emulator.services.workflows.retention import Retention
from flowflare.emulator.services.workflows.routes import WorkflowRoutes
from flowflare.emulator.services.workflows.store import WorkflowsStore
from flowflare.emulator.services.zones.routes import ZoneRoutes
from flowflare.emulator.services.zones.store import ZonesStore
from flowflare.errors import EmulatorError

_LOG = logging.getLogger("emulator")
HEADERS_SECONDS = 20.0
"""How long a client may take for the headers of a request."""


class CuttableProtocol(H11Protocol):
    """Extend uvicorn's HTTP/1.1: a fault rule can cut it, and headers have a time limit."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Store the transport in the connection's state, and wait for the first headers."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        self._limit_headers()

    def data_received(self, data: bytes) -> None:
        """Limit the time until the headers of a request are complete."""
        super().data_received(data)
        self._limit_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit."""
        super().connection_lost(exc)
        self._stop_waiting()

    def _limit_headers(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(HEADERS_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class _Service(Protocol):
    def routes(self) -> list[BaseRoute]: ...


@dataclass(frozen=True)
class Parts:
    """Hold the parts of the emulator that live as long as it does."""

    database: Database
    workers: Workers
    routes: list[BaseRoute]
    faults: Faults
    log: RequestLog
    limit: RateLimit
    routing: RoutingStore
    tokens: Tokens
    accounts: AccountsStore
    distances: Distances
    clock: CronClock


def assemble(programs: Programs, data: Path, identity: dict[str, Any], token: str) -> Parts:
    """Open the database and create every part.

    Args:
        identity: what `/emulator/health` says about this process.

    Raises:
        EmulatorError: another version of the emulator wrote the data.
    """
    try:
        database = Database(data / "emulator.sqlite")
    except ValueError as error:
        raise EmulatorError(
            str(error), remedy="Delete the data folder to start with an empty Cloudflare."
        ) from None
    distances = Distances()
    workers = Workers(programs, data / "runtime", database, distances)
    accounts = AccountsStore(database)
    scripts = ScriptsStore(database, accounts)
    workflows = WorkflowsStore(database, scripts)
    zones = ZonesStore(database)
    routing = RoutingStore(database, zones)
    targets = TargetsStore(database)
    consumers = ConsumersStore(database, targets, scripts)
    deployments = DeploymentsStore(database, scripts)
    workers.know(scripts, workflows, routing)
    rules, log, limit, tokens = Faults(), RequestLog(), RateLimit(), Tokens(token)
    clock = CronClock(database, workers, Retention(workflows, workers))
    target_routes = TargetRoutes(targets, consumers, workers)
    services: Sequence[_Service] = [
        AccountRoutes(accounts),
        D1Routes(D1Store(database), workers, History(database, workers)),
        ScriptRoutes(scripts, workers),
        AssetRoutes(AssetsStore(database)),
        SecretRoutes(SecretsStore(scripts), workers),
        VersionRoutes(scripts, deployments, workers),
        WorkerRoutes(WorkersStore(database, scripts, deployments), workers),
        TailRoutes(TailsStore(database, scripts), workers),
        SubdomainRoutes(accounts, scripts, workers),
        ScheduleRoutes(SchedulesStore(database, scripts)),
        WorkflowRoutes(workflows, workers),
        InstanceRoutes(workflows, workers),
        DurableObjectRoutes(scripts, workers),
        ZoneRoutes(zones, workers),
        DnsRoutes(DnsStore(database, zones)),
        # Before the operations of one domain, which would read `records` as a domain's ID.
        ScriptRoutingRoutes(routing, workers),
        RoutingRoutes(routing, zones, workers),
        ValueRoutes(ValuesStore(targets, workers)),
        ObjectRoutes(ObjectsStore(targets, workers)),
        BucketRuleRoutes(ObjectsStore(targets, workers)),
        SecretsStoreRoutes(SecretStores(targets), workers),
        GraphqlRoutes(targets, workers),
        target_routes,
        MessageRoutes(targets, consumers, target_routes, workers),
        ConsumerRoutes(consumers, workers),
        SubscriptionRoutes(SubscriptionsStore(database, targets, workflows), workers),
        Control(database, workers, accounts, rules, log, tokens, limit, distances, clock, identity),
    ]
    routes = [route for service in services for route in service.routes()]
    return Parts(
        database,
        workers,
        routes,
        rules,
        log,
        limit,
        routing,
        tokens,
        accounts,
        distances,
        clock,
    )


def application(parts: Parts) -> Starlette:
    """Return the ASGI application."""
    app = Starlette(
        routes=parts.routes,
        middleware=[
            Middleware(FrontDoor, routing=parts.routing, runtime=parts.workers),
            Middleware(Doors, tokens=parts.tokens),
            Middleware(
                Gatekeeper,
                tokens=parts.tokens,
                rules=parts.faults,
                log=parts.log,
                limit=parts.limit,
                accounts=parts.accounts,
                distances=parts.distances,
            ),
        ],
        exception_handlers={
            Refusal: _answer_refusal,
            EmulatorError: _answer_emulator_error,
            404: _answer_unknown_route,
            405: _answer_unknown_route,
            HTTPException: _answer_unreadable_body,
            Exception: _answer_failure,
        },
    )
    app.router.redirect_slashes = False
    return app


def server_for(app: Starlette) -> uvicorn.Server:
    """Return a uvicorn server for the application that logs nothing and stops quickly."""
    config = uvicorn.Config(
        app,
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=30,
    )
    return uvicorn.Server(config)


def listen(port: int) -> socket.socket:
    """Bind the API's port on loopback; 0 binds any free port.

    Raises:
        EmulatorError: the port is taken.
    """
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol. It costs 40 ms a
    # call.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise EmulatorError(
            f"Port {port} cannot be used: {error.strerror}",
            remedy="Stop the program that uses it, or choose another port with --port.",
        ) from None
    return bound


async def _answer_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return failure(error)


async def _answer_emulator_error(_: Request, error: Exception) -> Response:
    _LOG.error("%s", error)
    return failure(codes.internal(str(error)))


async def _answer_unreadable_body(_: Request, error: Exception) -> Response:
    """Answer a body that Starlette cannot read, such as a broken multipart body."""
    assert isinstance(error, HTTPException)
    return failure(refusal(error.status_code, 10026, error.detail))


async def _answer_failure(_: Request, __: Exception) -> Response:
    """Answer a failure of the emulator itself; uvicorn logs it."""
    return failure(codes.internal("the emulator's log has the reason"))


async def _answer_unknown_route(request: Request, _: Exception) -> Response:
    if not request.url.path.startswith(API):
        return failure(codes.no_route(request.url.path))
    return failure(codes.not_emulated(request.method, request.url.path.removeprefix(API)))
