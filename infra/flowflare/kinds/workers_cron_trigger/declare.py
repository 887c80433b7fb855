"""Register the cron triggers of a script."""

from collections.abc import Sequence

import pulumi

from flowflare.kinds.cloudflare import WorkersCronTrigger, WorkersCronTriggerScheduleArgs


def declare_crons(
    name: str, account_id: str, script_name: str, crons: Sequence[str], opts: pulumi.ResourceOptions
) -> WorkersCronTrigger:
    """Declare the `WorkersCronTrigger` of a script, with all of its expressions."""
    return WorkersCronTrigger(
        name,
        account_id=account_id,
        script_name=script_name,
        schedules=[WorkersCronTriggerScheduleArgs(cron=cron) for cron in crons],
        opts=opts,
    )
