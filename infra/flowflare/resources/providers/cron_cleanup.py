"""Provider that clears a Worker's cron triggers once its program drops them."""

from pulumi.dynamic import CreateResult, DiffResult

from flowflare.resources.providers.base import STORED_MODULE, CloudflareProvider, Props, kept
from flowflare.resources.providers.no_crons import clear_crons


class CronCleanupProvider(CloudflareProvider):
    """What stands beside a `WorkersCronTrigger` and clears the schedules when both are deleted.

    Cloudflare's plugin deletes a `WorkersCronTrigger` without a call (Terraform provider 5.22).
    """

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the scripts."""
        replaces = self._replaces(olds, news)
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        """Call nothing."""
        return CreateResult(f"{props['account_id']}/{props['script_name']}", kept(props))

    def delete(self, _id: str, props: Props) -> None:
        """Clear the triggers; a script that is gone has none.

        Raises:
            ApiError: Cloudflare does not answer, or refuses.
        """
        clear_crons(self.api(), props["account_id"], props["script_name"])
