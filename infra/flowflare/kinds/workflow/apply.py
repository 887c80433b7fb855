"""Workflows: one PUT binds a name to a class of a script."""

from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import pick_attributes, to_api
from flowflare.values.properties import Props

#: The attributes of a response that become outputs.
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
        """Bind the name to the class; an existing Workflow of that name is changed."""
        return Made(self.id_of(new), self._put(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Bind the name to the class again."""
        before = {key: old.outputs[key] for key in COMPUTED if key in old.outputs}
        return before | self._put(new)

    def delete(self, old: Existing) -> None:
        """Delete the Workflow with its instances."""
        self.delete_at(_path(old.inputs or old.outputs))

    def id_of(self, known: Props) -> str:
        """Return the Workflow's name."""
        return str(known["workflowName"])

    def look_up(self, known: Props) -> Props:
        """Read it from the API by its name."""
        return {**known, **pick_attributes(self.access.client.call("GET", _path(known)), COMPUTED)}

    def _put(self, new: Props) -> Props:
        body = to_api({key: value for key, value in new.items() if key not in _ADDRESS})
        answer = self.access.client.call("PUT", _path(new), body=body)
        return {**pick_attributes(answer, COMPUTED), **new}


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workflows/{known['workflowName']}"
