"""Serve the API for queue consumers."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, json_object, serves
from flowflare.emulator.services.consumers.store import Consumer, ConsumersStore

_CONSUMERS = "/accounts/{account}/queues/{queue}/consumers"
_CONSUMER = f"{_CONSUMERS}/{{consumer}}"


class ConsumerRoutes(Service[ConsumersStore]):
    """Serve the operations of a queue's `consumers`."""

    @serves("GET", _CONSUMERS)
    async def _list(self, _: Request, account: str, queue: str) -> Response:
        consumers = self._store.list_consumers(account, queue)
        return success([view_consumer(consumer) for consumer in consumers])

    @serves("POST", _CONSUMERS)
    async def _create(self, request: Request, account: str, queue: str) -> Response:
        created = self._store.create(account, queue, await json_object(request))
        await self._runtime.publish(account)
        return success(view_consumer(created))

    @serves("GET", _CONSUMER)
    async def _get(self, _: Request, account: str, queue: str, consumer: str) -> Response:
        return success(view_consumer(self._store.get(account, queue, consumer)))

    @serves("PUT", _CONSUMER)
    async def _replace(self, request: Request, account: str, queue: str, consumer: str) -> Response:
        replaced = self._store.replace(account, queue, consumer, await json_object(request))
        await self._runtime.publish(account)
        return success(view_consumer(replaced))

    @serves("DELETE", _CONSUMER)
    async def _delete(self, _: Request, account: str, queue: str, consumer: str) -> Response:
        self._store.delete(account, queue, consumer)
        await self._runtime.publish(account)
        return success(None)


def view_consumer(consumer: Consumer) -> dict[str, Any]:
    """Render a consumer for answers.

    `script` is the name of `script_name` in the lists of a queue, which wrangler reads.
    """
    worker = {"script": consumer.script, "script_name": consumer.script, "type": "worker"}
    return {
        "consumer_id": consumer.id,
        "created_on": consumer.created_on,
        "dead_letter_queue": consumer.dead_letter_queue,
        "queue_id": consumer.queue.id,
        "queue_name": consumer.queue.name,
        "settings": {key: value for key, value in consumer.settings.items() if value is not None},
        **(worker if consumer.script else {"type": "http_pull"}),
    }
