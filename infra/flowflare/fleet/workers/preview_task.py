"""Plans one stack against its state, for the pool: its review, its words, its policies' findings.

Nothing is called and nothing written. Stacks that say the same word for word are sent once.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from flowflare.config.files import read_project

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.fleet.workers.scene import Scene
    from flowflare.review.entries import Review
    from flowflare.values.events import Plan

_POLICIES: Final = "flowflare:policies"
# The keys of what this process has sent, by the run that asked.
_SENT: Final[dict[str, set[str]]] = {}


def preview(scene: "Scene") -> dict[str, Any]:
    """What an `up` of the stack would do.

    Args:
        scene: its option `run` tells runs of the pool apart. `sealed` says that no secret is to be
            opened: `same` where all of them are those of the last `up`, `new` where the stack is
            expected to be new.

    Returns:
        `key`: the same for stacks that differ in their own words alone; `words`: those words with
        what stands for them; `changed`: whether there is anything to do or to refuse; `api_calls`;
        `review`: a `Review`, null where one of the same key was sent before in this run;
        `policy`: findings. Or only `opens`: it takes the secrets to tell.

    Raises:
        FlowflareError: the state cannot be read, a secret cannot be opened, the program failed, or
            a file with policies cannot be used.
    """
    from flowflare.fleet.workers.words import said
    from flowflare.review.against_state import plan_against
    from flowflare.review.changes import review
    from flowflare.review.recording_process import list_own_words
    from flowflare.review.sealed import plan_sealed

    project = read_project(scene.root, scene.stack)
    sealed = scene.options.get("sealed")
    if sealed is None:
        plan = plan_against(scene.root, project, scene.environ)
    else:
        found = plan_sealed(project, scene.environ, same_secrets=sealed == "same")
        if found is None:
            return {"opens": True}
        plan = found
    # What differs line by line tells changes of code apart, whether it is shown or not.
    reviewed = review(plan, diff=True)
    words = list_own_words(project)
    raw = reviewed.model_dump(mode="json")
    common = json.dumps(said({**raw, "outputs": {}}, words), sort_keys=True)
    key = hashlib.sha256(common.encode()).hexdigest()
    sent = _SENT.setdefault(str(scene.options.get("run", "")), set())
    known = key in sent
    sent.add(key)
    return {
        "key": key,
        "words": words,
        "changed": bool(reviewed.changed or reviewed.refusals),
        "api_calls": reviewed.api_calls,
        "review": None if known else raw,
        "policy": _judged(project, plan, reviewed),
    }


def _judged(project: "Project", plan: "Plan", reviewed: "Review") -> list[dict[str, Any]]:
    if _POLICIES not in project.values:
        return []
    from datetime import UTC, datetime

    from flowflare.review.policy.judge import judge

    found = judge(project, plan, reviewed, datetime.now(UTC).date())
    return [one.model_dump(mode="json") for one in found]
