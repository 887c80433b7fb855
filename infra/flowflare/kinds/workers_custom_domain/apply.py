"""Custom domains: a hostname of a zone that a script answers as a whole."""

from flowflare.kinds.cloudflare_handler import KnownById
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import to_api
from flowflare.values.properties import Props

_INPUTS = ("hostname", "service", "zoneId", "zoneName", "environment")


class WorkersCustomDomain(KnownById):
    """`cloudflare:index/workersCustomDomain:WorkersCustomDomain`."""

    required = ("accountId", "hostname", "service")
    # The real provider has no update. A PUT of the same hostname would take the domain over, so
    # that the deletion after it would remove the new one: the old one goes first.
    replace_keys = ("accountId", *_INPUTS)
    identity = ("accountId", "hostname")
    attributes = (*_INPUTS, "certId")

    def path(self, known: Props) -> str:
        """Where the account's custom domains are listed."""
        return f"/accounts/{known['accountId']}/workers/domains"

    def create(self, new: Props) -> Made:
        """Binds the hostname to the script; the request may be repeated."""
        body = to_api({key: new[key] for key in _INPUTS if key in new})
        answer = self.access.client.call("PUT", self.path(new), body=body)
        return self.made(new, answer)

    def update(self, old: Existing, new: Props) -> Props:
        """Binds it anew: a domain of which it is not sure that it is as asked for."""
        return {**old.outputs, **self.create(new).outputs}

    def recover(self, new: Props) -> Made | None:
        """Looks for its hostname with its script."""
        listed = self.access.client.call("GET", self.path(new), query={"hostname": new["hostname"]})
        for one in listed or []:
            if (one.get("hostname"), one.get("service")) == (new["hostname"], new["service"]):
                return self.made(new, one)
        return None
