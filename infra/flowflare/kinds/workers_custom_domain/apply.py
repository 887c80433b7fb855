"""Custom domains: hostnames of a zone that a script serves completely."""

from flowflare.kinds.cloudflare_handler import KnownById
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import to_api
from flowflare.values.properties import Props

_INPUTS = ("hostname", "service", "zoneId", "zoneName", "environment")


class WorkersCustomDomain(KnownById):
    """`cloudflare:index/workersCustomDomain:WorkersCustomDomain`."""

    required = ("accountId", "hostname", "service")
    # Cloudflare's provider has no update. A PUT of the same hostname would change the existing
    # domain, and the deletion after it would remove it: so the old domain is deleted first.
    replace_keys = ("accountId", *_INPUTS)
    identity = ("accountId", "hostname")
    attributes = (*_INPUTS, "certId")

    def path(self, known: Props) -> str:
        """Return the path of the account's list of custom domains."""
        return f"/accounts/{known['accountId']}/workers/domains"

    def create(self, new: Props) -> Made:
        """Bind the hostname to the script; the request may be repeated."""
        body = to_api({key: new[key] for key in _INPUTS if key in new})
        answer = self.access.client.call("PUT", self.path(new), body=body)
        return self.parse_answer(new, answer)

    def update(self, old: Existing, new: Props) -> Props:
        """Bind the hostname again, if it is uncertain whether the domain is as declared."""
        return {**old.outputs, **self.create(new).outputs}

    def recover(self, new: Props) -> Made | None:
        """Find the domain by its hostname and script."""
        listed = self.access.client.call("GET", self.path(new), query={"hostname": new["hostname"]})
        for domain in listed or []:
            if (domain.get("hostname"), domain.get("service")) == (new["hostname"], new["service"]):
                return self.parse_answer(new, domain)
        return None
