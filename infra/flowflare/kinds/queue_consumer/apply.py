"""Queue consumers: Cloudflare generates an ID, and a queue has at most one consumer."""

from typing import Any, Final

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import pick_attributes, to_api
from flowflare.values.properties import Props

#: The attributes of a response that become outputs.
COMPUTED: Final = ("consumerId", "createdOn", "queueName")
_HAS_CONSUMER: Final = 11004
_NO_HANDLER: Final = 11001
_BODY: Final = ("type", "scriptName", "deadLetterQueue", "settings")


class QueueConsumer(CloudflareHandler):
    """`cloudflare:index/queueConsumer:QueueConsumer`."""

    required = ("accountId", "queueId", "type")
    replace_keys = ("accountId", "queueId")
    identity = ("accountId", "queueId")

    def mistakes(self, inputs: Props) -> list[str]:
        """List what the embedded engine does not support."""
        if inputs.get("type", "worker") != "worker":
            return ["type must be worker: the embedded engine supports no other consumer"]
        return [] if "scriptName" in inputs else ["scriptName is missing"]

    def create(self, new: Props) -> Made:
        """Create the consumer; if the response is lost, find it by its queue and script.

        Raises:
            EngineError: the queue has a consumer that this stack did not create, or the script has
                no `queue` handler.
        """
        try:
            answer = self._send("POST", _path(new), new, find=lambda: self._find(new))
        except ApiError as error:
            if _HAS_CONSUMER not in error.codes:
                raise
            answer = self._find(new) if error.doubtful else None
            if answer is None:
                raise _make_has_consumer_error(new) from None
        return self._parse_answer(new, answer)

    def update(self, old: Existing, new: Props) -> Props:
        """Replace script, dead-letter queue and settings.

        Raises:
            EngineError: the script has no `queue` handler.
        """
        path = f"{_path(new)}/{old.outputs['consumerId']}"
        return self._parse_answer(new, self._send("PUT", path, new)).outputs

    def delete(self, old: Existing) -> None:
        """Delete the consumer; a consumer that does not exist is a success."""
        self.delete_at(f"{_path(old.inputs or old.outputs)}/{old.outputs['consumerId']}")

    def id_of(self, known: Props) -> str:
        """Return the account ID, which the plugin uses as the resource's ID.

        Source: `resourcesWithMissingID` in provider/resources.go of pulumi/pulumi-cloudflare.
        """
        return str(known["accountId"])

    def terraform_id(self, id_: str, outputs: Props) -> str | None:
        """Return None: Terraform's resource has no `id`."""
        del id_, outputs
        return None

    def look_up(self, known: Props) -> Props:
        """Read the consumer from the API by its ID."""
        path = f"{_path(known)}/{known['consumerId']}"
        answer = self.access.client.call("GET", path)
        found = {**known, **pick_attributes(answer, (*COMPUTED, *_BODY))}
        # Without a dead-letter queue, Cloudflare returns an empty name.
        return {key: value for key, value in found.items() if value or key != "deadLetterQueue"}

    def recover(self, new: Props) -> Made | None:
        """Find a consumer of the queue that runs the script."""
        found = self._find(new)
        return self._parse_answer(new, found) if found else None

    def _send(self, method: Any, path: str, new: Props, **more: Any) -> Any:
        body = to_api({key: new[key] for key in _BODY if key in new})
        try:
            return self.access.client.call(method, path, body=body, **more)
        except ApiError as error:
            if _NO_HANDLER in error.codes:
                raise _make_no_handler_error(new) from None
            raise

    def _parse_answer(self, new: Props, answer: Any) -> Made:
        return Made(self.id_of(new), {**pick_attributes(answer, COMPUTED), **new})

    def _find(self, new: Props) -> dict[str, Any] | None:
        rows: list[dict[str, Any]] = self.find_at(_path(new)) or []
        return next((row for row in rows if row.get("script_name") == new["scriptName"]), None)


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/queues/{known['queueId']}/consumers"


def _make_has_consumer_error(new: Props) -> EngineError:
    return EngineError(
        f"the queue {new['queueId']} already has a consumer that this stack did not create, and a "
        "queue has at most one",
        remedy="Remove it (wrangler queues consumer remove <queue> <script>), or import it: "
        "flowflare adopt.",
    )


def _make_no_handler_error(new: Props) -> EngineError:
    return EngineError(
        f"the script {new['scriptName']} consumes a queue, but exports no `queue` handler",
        remedy="Export one (export default { async queue(batch, env) { ... } }), or remove the "
        "queue from the client's `queueConsumers`.",
    )
