"""Workflows: one PUT that ties a name to a class of a script."""

from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import picked, to_api
from flowflare.values.properties import Props

#: What of an answer becomes outputs.
COMPUTED = (
    "createdOn",
    "instances",
    "isDeleted",
    "modifiedOn",
    "name",
    "scriptDeleted",
    "terminatorRunning",
    "triggeredOn",
    "versionId",
)
_ADDRESS = frozenset({"accountId", "workflowName"})


class Workflow(CloudflareHandler):
    """`cloudflare:index/workflow:Workflow`."""

    required = ("accountId", "workflowName", "className", "scriptName")
    replace_keys = ("accountId", "workflowName")
    identity = ("accountId", "workflowName")
    volatile = ("modifiedOn", "versionId", "instances")

    def create(self, new: Props) -> Made:
        """Ties the name to the class; a Workflow of that name changes hands, as on Cloudflare."""
        return Made(self.id_of(new), self._put(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Ties the name anew."""
        before = {key: old.outputs[key] for key in COMPUTED if key in old.outputs}
        return before | self._put(new)

    def delete(self, old: Existing) -> None:
        """Removes the Workflow with its instances."""
        self.delete_at(_path(old.inputs or old.outputs))

    def id_of(self, known: Props) -> str:
        """The Workflow's name."""
        return str(known["workflowName"])

    def look_up(self, known: Props) -> Props:
        """Asks for it by its name."""
        return {**known, **picked(self.access.client.call("GET", _path(known)), COMPUTED)}

    def _put(self, new: Props) -> Props:
        body = to_api({key: value for key, value in new.items() if key not in _ADDRESS})
        answer = self.access.client.call("PUT", _path(new), body=body)
        return {**picked(answer, COMPUTED), **new}


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workflows/{known['workflowName']}"
