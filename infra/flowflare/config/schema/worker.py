"""Define the keys that the service and all clients share: a Worker's addresses and settings."""

from flowflare.kinds.workers_cron_trigger.settings import CronSettings
from flowflare.kinds.workers_custom_domain.settings import DomainSettings
from flowflare.kinds.workers_route.settings import RouteSettings
from flowflare.kinds.workers_script.settings import ScriptSettings
from flowflare.kinds.workers_script_subdomain.settings import SubdomainSettings


class WorkerConfig(CronSettings, ScriptSettings, DomainSettings, RouteSettings, SubdomainSettings):
    """The keys that are the same for the service and for a client."""
