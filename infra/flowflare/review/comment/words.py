"""The sentences around the plan: the notice of a stale one, and the line below it."""

from flowflare.review.comment.target import Target


def stale_notice(target: Target, shown: str, head: str) -> str:
    """The notice that a plan is not for the pull request's head any more, Markdown.

    Args:
        target: this run's; whether it failed, and where it is to be seen.
        shown: the commit that the plan is for.
        head: the pull request's head.
    """
    now = f"**Out of date.** This plan is for {_short(shown)}; the head is {_short(head)} now"
    if target.failed and target.head == head:
        where = f": [its log]({target.page})" if target.page else ""
        return f"> [!WARNING]\n> {now}, and its plan failed{where}."
    return f"> [!WARNING]\n> {now}. A new plan is under way."


def footer(target: Target) -> str:
    """The line below the plan, Markdown; empty where nobody knows the run."""
    if not target.page:
        return ""
    return f"\n\n<sub>For {_short(target.head or '')}. [The whole report]({target.page})</sub>"


def _short(sha: str) -> str:
    return f"<code>{sha[:12]}</code>" if sha else "an unknown commit"
