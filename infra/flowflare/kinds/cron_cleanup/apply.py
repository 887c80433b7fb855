"""Provider that clears a Worker's cron triggers once its program drops them."""

from pulumi.dynamic import CreateResult

from flowflare.errors import ApiError
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    kept,
    script_id,
)


class CronCleanupProvider(CloudflareProvider):
    """Clear the schedules of a script when the `WorkersCronTrigger` beside it is deleted.

    Cloudflare's plugin deletes a `WorkersCronTrigger` without a call (Terraform provider 5.22), so
    the schedules would go on running.
    """

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def create(self, props: Props) -> CreateResult:
        """Call nothing: the `WorkersCronTrigger` sets the schedules."""
        return CreateResult(script_id(props), kept(props))

    def delete(self, _id: str, props: Props) -> None:
        """Clear all schedules of the script; a script that is gone has none.

        Raises:
            ApiError: Cloudflare does not answer, or refuses.
        """
        account, script = props["account_id"], props["script_name"]
        path = f"/accounts/{account}/workers/scripts/{script}/schedules"
        try:
            self.api().call("PUT", path, body=[])
        except ApiError as error:
            if error.status != 404:
                raise
