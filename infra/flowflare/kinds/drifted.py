"""The result of comparing a kind with the account: findings, and what could not be compared."""

from typing import Any, Literal

from pydantic import Field

from flowflare.model.frozen import Frozen

Difference = Literal["changed", "missing", "extra"]
Severity = Literal["error", "warning"]
#: What to do about a finding; the text depends on the stack's engine.
Action = Literal["put-back", "adopt", "restore", "remake", "remove"]


class Drifted(Frozen):
    """One difference between the account and state."""

    kind: Difference = Field(
        description="`changed` differs, `missing` is in state and not in the account, `extra` is "
        "in the account and not in state."
    )
    severity: Severity = Field(
        description="`error`: something cannot work any more, or data is gone; `warning`: it works "
        "otherwise than the program says."
    )
    resource: str = Field(description="The resource's name in the program.")
    type: str = Field(description="Its type's token.")
    path: str = Field(
        default="", description='What of it, such as `bindings["DB"]`; empty for all of it.'
    )
    state: Any = Field(default=None, description="The value in state; null if there is none.")
    account: Any = Field(default=None, description="What the account says; null for nothing.")
    by: str = Field(
        default="",
        description="What the script was last deployed from, as Cloudflare says it: `dash`, "
        "`wrangler`, `api`; empty if not known.",
    )
    message: str = Field(description="What is different, a sentence.")
    action: Action = Field(description="What helps; `remedy` says how for this stack.")
    remedy: str = Field(default="", description="What to do next.")


class Unknown(Frozen):
    """A part of a stack that could not be compared."""

    resource: str = Field(description="The resource's name in the program.")
    type: str = Field(description="Its type's token.")
    message: str = Field(description="What could not be compared, and why.")
    allowed: str = Field(
        default="", description="The reason that `--allow-unknown` gives; empty without one."
    )
