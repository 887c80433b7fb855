"""Clear the cron triggers of a script after they are removed from its program."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:CronCleanup",
    folder=__name__,
    apply="CronCleanupProvider",
    risk=NotSupported("It holds no data: it only clears schedules."),
    calls="count_calls",
    drift="flowflare.kinds.scene:compare_nothing",
    adopt="find",
    settings=NotSupported("A Worker with `crons` has it too."),
    declare="CronCleanup",
)
