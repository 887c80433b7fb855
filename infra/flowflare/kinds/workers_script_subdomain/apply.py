"""Whether a script answers on workers.dev."""

from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import picked, to_api
from flowflare.values.properties import Props

_FIELDS = ("enabled", "previewsEnabled")


class WorkersScriptSubdomain(CloudflareHandler):
    """`cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain`."""

    required = ("accountId", "scriptName", "enabled")
    replace_keys = ("accountId", "scriptName")
    identity = ("accountId", "scriptName")

    def create(self, new: Props) -> Made:
        """Sets it; the request may be repeated."""
        return Made(self.id_of(new), self._post(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Sets it anew."""
        del old
        return self._post(new)

    def delete(self, old: Existing) -> None:
        """Takes the script off workers.dev; one that is gone with its script is a success."""
        self.delete_at(_path(old.inputs or old.outputs))

    def id_of(self, known: Props) -> str:
        """Return the account ID, which the plugin uses as the resource's ID."""
        return str(known["accountId"])

    def terraform_id(self, id_: str, outputs: Props) -> str:
        """Return the script's name."""
        del id_
        return str(outputs["scriptName"])

    def look_up(self, known: Props) -> Props:
        """Asks for it."""
        return {**known, **picked(self.access.client.call("GET", _path(known)), _FIELDS)}

    def _post(self, new: Props) -> Props:
        body = to_api({key: new[key] for key in _FIELDS if key in new})
        answer = self.access.client.call("POST", _path(new), body=body)
        return {**picked(answer, _FIELDS), **new}


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workers/scripts/{known['scriptName']}/subdomain"
