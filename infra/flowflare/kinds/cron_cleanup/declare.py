"""Register the cleanup of a Worker's cron triggers."""

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.cron_cleanup.apply import CronCleanupProvider


class CronCleanup(Resource, module="flowflare", name="CronCleanup"):
    """Clears the cron triggers of a script when the resource is deleted."""

    def __init__(
        self, name: str, account_id: str, script_name: str, opts: pulumi.ResourceOptions
    ) -> None:
        props = {"account_id": account_id, "script_name": script_name}
        super().__init__(CronCleanupProvider(), name, props, opts)
