"""List the errors of event subscriptions."""

from flowflare.emulator.envelope import Code

subscription_missing = Code(
    404,
    10006,
    "Event subscription not found",
    "an unknown ID of a subscription. Code and text are our interpretation; the status is that of "
    "cloudflare/api-schemas.",
)
subscription_exists = Code(
    405,
    10005,
    "We currently do not support multiple subscriptions on the same resource.",
    "a second subscription to a Workflow. The code is our interpretation.",
    trace="workers-sdk #15340",
)
source_missing = Code(
    404,
    10007,
    "Workflow '{name}' was not found.",
    "a subscription to an unknown Workflow. Code and text are our interpretation; the status is "
    "that of cloudflare/api-schemas.",
)
