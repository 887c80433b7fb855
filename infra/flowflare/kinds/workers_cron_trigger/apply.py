"""The cron triggers of a script."""

from typing import Any

from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import from_api, to_api
from flowflare.values.properties import Props


class WorkersCronTrigger(CloudflareHandler):
    """`cloudflare:index/workersCronTrigger:WorkersCronTrigger`."""

    required = ("accountId", "scriptName", "schedules")
    replace_keys = ("accountId", "scriptName")
    identity = ("accountId", "scriptName")
    volatile = ("schedules",)

    def create(self, new: Props) -> Made:
        """Set all schedules at once."""
        return Made(self.id_of(new), self._put(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Set all schedules again."""
        del old
        return self._put(new)

    def delete(self, old: Existing) -> None:
        """Call nothing, as Cloudflare's plugin does: `CronCleanup` clears the schedules."""
        del old

    def id_of(self, known: Props) -> str:
        """Return the script's name."""
        return str(known["scriptName"])

    def look_up(self, known: Props) -> Props:
        """Read the schedules from the API."""
        answer = self.access.client.call("GET", _path(known))
        return {**known, "schedules": _schedules(answer, known)}

    def _put(self, new: Props) -> Props:
        answer = self.access.client.call("PUT", _path(new), body=to_api(new["schedules"]))
        return {**new, "schedules": _schedules(answer, new)}


def _schedules(answer: Any, known: Props) -> Any:
    listed = answer.get("schedules") if isinstance(answer, dict) else None
    return from_api(listed) if listed is not None else known["schedules"]


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workers/scripts/{known['scriptName']}/schedules"
