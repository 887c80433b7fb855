"""Plan one stack against its state, as a task of the pool, without API calls or writes.

The result has the stack's review, its own words, and the findings of its policies. A worker sends
equal reviews of several stacks only once.
"""

import hashlib
import json
from typing import Any, Final

from flowflare.fleet.workers.context import TaskContext
from flowflare.fleet.workers.words import replace_words
from flowflare.review.against_state import plan_against
from flowflare.review.changes import review
from flowflare.review.policy.judge import judge
from flowflare.review.recording_process import list_own_words
from flowflare.review.sealed import plan_sealed

# The keys of the reviews that this process has sent, by run of the pool.
_SENT: Final[dict[str, set[str]]] = {}


def preview(context: TaskContext) -> dict[str, Any]:
    """Preview an `up` of the stack.

    Args:
        context: the stack; its option `run` identifies the run of the pool. The option `sealed`
            forbids decrypting secrets: `same` if all secrets are those of the last `up`, `new` if
            the stack is probably new.

    Returns:
        `key`: equal for stacks that differ only in text that depends on the stack; `words`:
        that text with its placeholders; `changed`: whether there are changes or refusals;
        `api_calls`; `review`: a `Review`, null if this process has sent a review with the same key
        in this run; `policy`: findings. Or only `opens`, if the plan depends on secrets.

    Raises:
        FlowflareError: the state cannot be read, a secret cannot be decrypted, the program failed,
            or a file with policies cannot be used.
    """
    project = context.project
    sealed = context.options.get("sealed")
    if sealed is None:
        plan = plan_against(project.shared, project, context.environ)
    else:
        found = plan_sealed(project, context.environ, same_secrets=sealed == "same")
        if found is None:
            return {"opens": True}
        plan = found
    # Two changes of code are alike only if their lines are. So lines are compared, not printed.
    reviewed = review(plan, diff=True)
    words = list_own_words(project)
    raw = reviewed.model_dump(mode="json")
    common = json.dumps(replace_words({**raw, "outputs": {}}, words), sort_keys=True)
    key = hashlib.sha256(common.encode()).hexdigest()
    sent = _SENT.setdefault(str(context.options.get("run", "")), set())
    known = key in sent
    sent.add(key)
    return {
        "key": key,
        "words": words,
        "changed": bool(reviewed.changed or reviewed.refusals),
        "api_calls": reviewed.api_calls,
        "review": None if known else raw,
        "policy": [found.model_dump(mode="json") for found in judge(project, plan, reviewed)],
    }
