"""Serve the messages of queues: push, pull, acknowledge and purge them, and count them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.clock import now
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Routes, json_object, serves
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.consumers.store import ConsumersStore
from flowflare.emulator.services.messages.bodies import (
    MAX_BATCH,
    MAX_DELAY,
    MAX_VISIBILITY,
    read_list,
    read_message,
    read_number,
    view_metrics,
    view_pulled,
)
from flowflare.emulator.services.targets.queue import QUEUE
from flowflare.emulator.services.targets.routes import TargetRoutes
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.targets.target import Target

_QUEUE = "/accounts/{account}/queues/{queue}"
_MESSAGES = f"{_QUEUE}/messages"
_BATCH_SIZE, _VISIBILITY = 5, 30_000


class MessageRoutes(Routes):
    """Serve the operations below a queue's `messages`, `purge` and `metrics`."""

    def __init__(
        self,
        targets: TargetsStore,
        consumers: ConsumersStore,
        queues: TargetRoutes,
        runtime: Runtime,
    ) -> None:
        self._targets = targets
        self._consumers = consumers
        self._queues = queues
        self._runtime = runtime

    @serves("POST", _MESSAGES)
    async def _push(self, request: Request, account: str, queue: str) -> Response:
        target = self._targets.get(account, QUEUE, queue)
        return await self._store(target, [read_message(await json_object(request))])

    @serves("POST", _MESSAGES + "/batch")
    async def _push_batch(self, request: Request, account: str, queue: str) -> Response:
        target = self._targets.get(account, QUEUE, queue)
        asked = await json_object(request)
        delay = read_number(asked, "delay_seconds", 0, MAX_DELAY)
        messages = [read_message(each, delay) for each in read_list(asked, "messages")]
        return await self._store(target, messages)

    @serves("POST", _MESSAGES + "/pull")
    async def _pull(self, request: Request, account: str, queue: str) -> Response:
        """Lease messages. Refusal: 10001, the queue has no consumer of type `http_pull`."""
        target = self._targets.get(account, QUEUE, queue)
        asked = await json_object(request) if await request.body() else {}
        settings, limits = self._find_puller(target)
        count = read_number(asked, "batch_size", 1, MAX_BATCH)
        visibility = read_number(asked, "visibility_timeout_ms", 0, MAX_VISIBILITY)
        answer = await self._runtime.queue(
            "queue_pull",
            queue=target.key,
            count=count or _BATCH_SIZE,
            visibility=settings.get("visibility_timeout_ms") or _VISIBILITY
            if visibility is None
            else visibility,
            **limits,
        )
        metrics = view_metrics(answer["metrics"])
        return success(
            {
                "message_backlog_count": metrics["backlog_count"],
                "messages": [view_pulled(message) for message in answer["messages"]],
                "metadata": {"metrics": metrics},
            }
        )

    @serves("POST", _MESSAGES + "/ack")
    async def _acknowledge(self, request: Request, account: str, queue: str) -> Response:
        target = self._targets.get(account, QUEUE, queue)
        asked = await json_object(request)
        settings, limits = self._find_puller(target)
        acks = [str(each.get("lease_id")) for each in read_list(asked, "acks")]
        retries = [
            {
                "lease": str(each.get("lease_id")),
                "delay": settings.get("retry_delay") or 0 if delay is None else delay,
            }
            for each in read_list(asked, "retries")
            for delay in [read_number(each, "delay_seconds", 0, MAX_DELAY)]
        ]
        answer = await self._runtime.queue(
            "queue_ack", queue=target.key, acks=acks, retries=retries, **limits
        )
        unknown = answer["unknown"]
        return success(
            {
                "ackCount": sum(lease not in unknown for lease in acks),
                "retryCount": sum(each["lease"] not in unknown for each in retries),
                "warnings": dict.fromkeys(unknown, "the lease does not exist or has expired"),
            }
        )

    @serves("POST", _QUEUE + "/purge")
    async def _purge(self, request: Request, account: str, queue: str) -> Response:
        """Delete all messages. Refusal: 10001, the body does not confirm it (our reading)."""
        target = self._targets.get(account, QUEUE, queue)
        if (await json_object(request)).get("delete_messages_permanently") is not True:
            raise codes.invalid_body("`delete_messages_permanently` must be true.")
        record = {**target.record, "purged_on": now()}
        self._targets.update(account, QUEUE, queue, lambda found: (found.name, record))
        await self._runtime.queue("queue_purge", queue=target.key)
        return success(self._queues.view(QUEUE, target))

    @serves("GET", _QUEUE + "/purge")
    async def _show_purge(self, _: Request, account: str, queue: str) -> Response:
        started = self._targets.get(account, QUEUE, queue).record.get("purged_on")
        return success({"completed": str(bool(started)).lower(), "started_at": started or ""})

    @serves("GET", _QUEUE + "/metrics")
    async def _show_metrics(self, _: Request, account: str, queue: str) -> Response:
        target = self._targets.get(account, QUEUE, queue)
        answer = await self._runtime.queue("queue_metrics", queue=target.key)
        return success(view_metrics(answer["metrics"]))

    async def _store(self, target: Target, messages: list[dict[str, Any]]) -> Response:
        answer = await self._runtime.queue("queue_push", queue=target.key, messages=messages)
        return success({"metadata": {"metrics": view_metrics(answer["metrics"])}})

    def _find_puller(self, target: Target) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the settings of a queue's pull consumer, and its retries and dead-letter queue.

        Raises:
            Refusal: 10001, the queue has no such consumer. The code is our reading.
        """
        for consumer in self._consumers.list_consumers(target.account, target.id):
            if consumer.script is None:
                name = consumer.dead_letter_queue
                dead = self._targets.find(target.account, QUEUE, "name", name) if name else None
                retries = consumer.settings["max_retries"] or 0
                limits = {"max_retries": retries, "dead_letter": dead.key if dead else None}
                return dict(consumer.settings), limits
        raise codes.invalid_body("The queue has no consumer of type `http_pull`.")
