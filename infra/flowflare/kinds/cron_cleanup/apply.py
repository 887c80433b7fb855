"""Provider that clears a Worker's cron triggers after they are removed from its program."""

from pulumi.dynamic import CreateResult

from flowflare.errors import ApiError
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    keep_outputs,
    script_id,
)


class CronCleanupProvider(CloudflareProvider):
    """Clear the schedules of a script when its `WorkersCronTrigger` is deleted.

    Cloudflare's plugin deletes a `WorkersCronTrigger` without a call (Terraform provider 5.22), so
    the schedules would keep running.
    """

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def create(self, props: Props) -> CreateResult:
        """Call nothing: the `WorkersCronTrigger` sets the schedules."""
        return CreateResult(script_id(props), keep_outputs(props))

    def delete(self, _id: str, props: Props) -> None:
        """Clear all schedules of the script; a script that does not exist has none.

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
