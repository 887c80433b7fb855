"""Provider that clears the cron triggers which a program declared once and leaves out now."""

from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from flowflare.api import Client
from flowflare.errors import ApiError
from flowflare.resources.providers.base import STORED_MODULE, CloudflareProvider, Props, kept


class NoCronsProvider(CloudflareProvider):
    """A Worker for which the program declares no cron triggers.

    Cloudflare's plugin deletes a `WorkersCronTrigger` without a call (Terraform provider 5.22), so
    the triggers would go on running. This resource is an alias of it: a trigger in state becomes
    this resource in an update, which clears the schedules. Without one in state nothing is called:
    triggers that were set by hand stay. Property names are the plugin's.
    """

    __module__ = STORED_MODULE

    identity = ("accountId", "scriptName")

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Another script is another resource; what the plugin left in state is updated."""
        replaces = self._replaces(olds, news)
        return DiffResult(changes=bool(replaces) or _is_the_plugins(olds), replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        """Call nothing: an earlier program declared no triggers."""
        return CreateResult(f"{props['accountId']}/{props['scriptName']}", kept(props))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Clear the triggers that the plugin set; a script that is gone has none.

        Raises:
            ApiError: Cloudflare does not answer, or refuses.
        """
        if _is_the_plugins(olds):
            clear_crons(self.api(), olds["accountId"], olds["scriptName"])
        return UpdateResult(kept(news))


def clear_crons(client: Client, account_id: str, script_name: str) -> None:
    """Clear a script's cron triggers; a script that is gone has none.

    Raises:
        ApiError: Cloudflare does not answer, or refuses.
    """
    path = f"/accounts/{account_id}/workers/scripts/{script_name}/schedules"
    try:
        client.call("PUT", path, body=[])
    except ApiError as error:
        if error.status != 404:
            raise


def _is_the_plugins(olds: Props) -> bool:
    """Whether state still holds what Cloudflare's plugin wrote, which has no provider of ours."""
    return "__provider" not in olds
