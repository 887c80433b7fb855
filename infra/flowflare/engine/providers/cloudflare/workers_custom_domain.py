"""Custom domains: a hostname of a zone that a script answers as a whole."""

from flowflare.engine.providers.cloudflare.kind import Kind, picked, to_api
from flowflare.engine.providers.protocol import Existing, Made
from flowflare.engine.values import Props

_INPUTS = ("hostname", "service", "zoneId", "zoneName", "environment")
_ATTRIBUTES = (*_INPUTS, "certId")


class WorkersCustomDomain(Kind):
    """`cloudflare:index/workersCustomDomain:WorkersCustomDomain`."""

    required = ("accountId", "hostname", "service")
    # The real provider has no update. A PUT of the same hostname would take the domain over, so
    # that the deletion after it would remove the new one: the old one goes first.
    replace_keys = ("accountId", *_INPUTS)
    identity = ("accountId", "hostname")

    def create(self, new: Props) -> Made:
        """Binds the hostname to the script; the request may be repeated."""
        body = to_api({key: new[key] for key in _INPUTS if key in new})
        answer = self.access.client.call("PUT", _path(new), body=body)
        return Made(str(answer["id"]), {**picked(answer, _ATTRIBUTES), **new})

    def update(self, old: Existing, new: Props) -> Props:
        """Binds it anew: a domain of which it is not sure that it is as asked for."""
        return {**old.outputs, **self.create(new).outputs}

    def delete(self, old: Existing) -> None:
        """Takes the hostname away from the script."""
        self.delete_at(f"{_path(old.inputs or old.outputs)}/{old.id}")

    def read(self, old: Existing) -> Made | None:
        """Looks it up by its id, which no property holds."""
        return super().read(Existing(old.id, {**old.inputs, "id": old.id}, old.outputs))

    def look_up(self, known: Props) -> Props:
        """Asks for it by its id."""
        answer = self.access.client.call("GET", f"{_path(known)}/{known['id']}")
        kept = {key: value for key, value in known.items() if key != "id"}
        return {**kept, **picked(answer, _ATTRIBUTES)}

    def id_of(self, known: Props) -> str:
        """The id that Cloudflare gave it."""
        return str(known["id"])

    def recover(self, new: Props) -> Made | None:
        """Looks for its hostname with its script."""
        listed = self.access.client.call("GET", _path(new), query={"hostname": new["hostname"]})
        for one in listed or []:
            if (one.get("hostname"), one.get("service")) == (new["hostname"], new["service"]):
                return Made(str(one["id"]), {**picked(one, _ATTRIBUTES), **new})
        return None


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/workers/domains"
