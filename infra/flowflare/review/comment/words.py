"""Write the sentences around the plan: the notice of a stale plan, and the line below the plan."""

from flowflare.review.comment.target import CommentTarget


def write_stale_notice(target: CommentTarget, shown: str, head: str) -> str:
    """Write the notice that a plan is not for the pull request's current head, as Markdown.

    Args:
        target: this run's target, with the run's page and whether it failed.
        shown: the commit that the plan is for.
    """
    now = f"**Out of date.** This plan is for {_shorten(shown)}; the head is now {_shorten(head)}"
    if target.failed and target.head == head:
        where = f": [its log]({target.page})" if target.page else ""
        return f"> [!WARNING]\n> {now}, and its plan failed{where}."
    return f"> [!WARNING]\n> {now}. A new plan is being made."


def write_footer(target: CommentTarget) -> str:
    """Write the line below the plan, as Markdown; empty if the run is unknown."""
    if not target.page:
        return ""
    return f"\n\n<sub>For {_shorten(target.head or '')}. [The whole report]({target.page})</sub>"


def _shorten(sha: str) -> str:
    return f"<code>{sha[:12]}</code>" if sha else "an unknown commit"
