"""Serve the API for queue consumers."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, json_object, name_of, operation
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.consumers.store import Consumer, ConsumersStore

_CONSUMERS = "/accounts/{account}/queues/{queue}/consumers"
_CONSUMER = f"{_CONSUMERS}/{{consumer}}"


class ConsumerRoutes:
    """Serve the operations of a queue's `consumers`."""

    def __init__(self, store: ConsumersStore, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _CONSUMERS, self._list),
            operation("POST", _CONSUMERS, self._create),
            operation("GET", _CONSUMER, self._get),
            operation("PUT", _CONSUMER, self._replace),
            operation("DELETE", _CONSUMER, self._delete),
        ]

    async def _list(self, request: Request) -> Response:
        consumers = self._store.list_consumers(account_of(request), name_of(request, "queue"))
        return success([view_consumer(consumer) for consumer in consumers])

    async def _create(self, request: Request) -> Response:
        account, asked = account_of(request), await json_object(request)
        consumer = self._store.create(account, name_of(request, "queue"), asked)
        await self._runtime.publish(account)
        return success(view_consumer(consumer))

    async def _get(self, request: Request) -> Response:
        return success(view_consumer(self._store.get(*_names(request))))

    async def _replace(self, request: Request) -> Response:
        consumer = self._store.replace(*_names(request), await json_object(request))
        await self._runtime.publish(account_of(request))
        return success(view_consumer(consumer))

    async def _delete(self, request: Request) -> Response:
        self._store.delete(*_names(request))
        await self._runtime.publish(account_of(request))
        return success(None)


def view_consumer(consumer: Consumer) -> dict[str, Any]:
    """Render a consumer for answers.

    `script` is the name of `script_name` in the lists of a queue, which wrangler reads.
    """
    return {
        "consumer_id": consumer.id,
        "created_on": consumer.created_on,
        "dead_letter_queue": consumer.dead_letter_queue,
        "queue_id": consumer.queue.id,
        "queue_name": consumer.queue.name,
        "script": consumer.script,
        "script_name": consumer.script,
        "settings": {key: value for key, value in consumer.settings.items() if value is not None},
        "type": "worker",
    }


def _names(request: Request) -> tuple[str, str, str]:
    return account_of(request), name_of(request, "queue"), name_of(request, "consumer")
