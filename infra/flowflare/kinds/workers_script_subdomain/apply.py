"""Whether a script has a workers.dev URL."""

from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import pick_attributes, to_api
from flowflare.values.properties import Props

_FIELDS = ("enabled", "previewsEnabled")


class WorkersScriptSubdomain(CloudflareHandler):
    """`cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain`."""

    required = ("accountId", "scriptName", "enabled")
    replace_keys = ("accountId", "scriptName")
    identity = ("accountId", "scriptName")

    def create(self, new: Props) -> Made:
        """Switch the URL on or off; the request may be repeated."""
        return Made(self.id_of(new), self._post(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Switch the URL on or off again."""
        del old
        return self._post(new)

    def delete(self, old: Existing) -> None:
        """Switch the URL off; a script that does not exist is a success."""
        self.delete_at(_path(old.inputs or old.outputs))

    def id_of(self, known: Props) -> str:
        """Return the account ID, which the plugin uses as the resource's ID."""
        return str(known["accountId"])

    def terraform_id(self, id_: str, outputs: Props) -> str:
        """Return the script's name."""
        del id_
        return str(outputs["scriptName"])

    def look_up(self, known: Props) -> Props:
        """Read from the API whether the URL is on."""
        return {**known, **pick_attributes(self.access.client.call("GET", _path(known)), _FIELDS)}

    def _post(self, new: Props) -> Props:
        body = to_api({key: new[key] for key in _FIELDS if key in new})
        answer = self.access.client.call("POST", _path(new), body=body)
        return {**pick_attributes(answer, _FIELDS), **new}


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workers/scripts/{known['scriptName']}/subdomain"
