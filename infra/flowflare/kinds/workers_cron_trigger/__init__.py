"""The cron triggers of a script."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="cloudflare:index/workersCronTrigger:WorkersCronTrigger",
    folder=__name__,
    apply="WorkersCronTrigger",
    risk="assess",
    calls="count_calls",
    drift="compare",
    adopt="find",
    settings="CronSettings",
    declare="declare_crons",
    wrangler="write",
)
