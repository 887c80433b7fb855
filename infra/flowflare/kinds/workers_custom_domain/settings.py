"""The keys of a Worker's custom domains in the configuration."""

from typing import Annotated

from pydantic import AfterValidator, Field

from flowflare.kinds.workers_route.settings import HOSTNAME
from flowflare.model.written import Written, ZoneId, refusal


def _check_hostname(value: str) -> str:
    if not HOSTNAME.fullmatch(value):
        remedy = "Write only the host, in lower case: shop.example.com"
        raise refusal(f"is {value!r}, which is not a hostname", remedy)
    return value


class DomainConfig(Written):
    """One custom domain."""

    hostname: Annotated[str, AfterValidator(_check_hostname)] = Field(
        description="The host that the Worker serves; Cloudflare creates its DNS record."
    )
    zone_id: ZoneId = Field(description="The zone of the domain, 32 hexadecimal digits.")


class DomainSettings(Written):
    """The custom domains of a Worker."""

    domains: list[DomainConfig] = Field(
        default_factory=list, description="The Worker's custom domains."
    )
