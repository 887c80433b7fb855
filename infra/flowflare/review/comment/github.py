"""Read and write a pull request's comments through GitHub's REST API."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.errors import CommentError
from flowflare.review.comment.decide import Comment
from flowflare.review.comment.session import NotFound, Service, ServiceSession
from flowflare.review.comment.target import Branch

SERVICE: Final = Service(
    name="GitHub",
    variable="GITHUB_TOKEN",
    permission="the permission `pull-requests: write`; set it under `permissions:` of the job",
    accept="application/vnd.github+json",
)


class GitHub:
    """The comments of one pull request.

    Args:
        repository: `OWNER/REPO`, validated.
    """

    def __init__(self, session: ServiceSession, repository: str, number: int) -> None:
        self._session = session
        self._repository = f"/repos/{repository}"
        self._name = f"pull request {number} in {repository}"
        self._number = number

    def read_author(self) -> str:
        """Return the login of the token's user.

        GitHub's REST API does not return it for a workflow's token. GraphQL's `viewer` does, and
        spells it as comments do: `github-actions[bot]`.
        """
        address = self._session.base.removesuffix("/v3") + "/graphql"
        data = self._session.get_one(address, body={"query": "{viewer{login}}"}).get("data")
        login = ((data or {}).get("viewer") or {}).get("login")
        if not isinstance(login, str) or not login:
            raise CommentError(
                "GitHub does not report which user the token belongs to",
                remedy="GITHUB_TOKEN must be the token of a workflow, an App or a user.",
            )
        return login

    def read_head(self) -> str:
        """Return the full hash of the pull request's head."""
        try:
            pull = self._session.get_one(f"{self._repository}/pulls/{self._number}")
        except NotFound as error:
            raise NotFound(
                f"GitHub does not have {self._name}, or the token cannot read it",
                remedy="Check the number. The token needs at least `pull-requests: read`.",
            ) from error
        return str((pull.get("head") or {}).get("sha", ""))

    def list_comments(self) -> Iterator[Comment]:
        """List the pull request's comments, oldest first."""
        path = f"{self._repository}/issues/{self._number}/comments"
        yield from map(_make_comment, self._session.list_all(path, {}))

    def create(self, body: str) -> Comment:
        """Create a comment."""
        path = f"{self._repository}/issues/{self._number}/comments"
        return _make_comment(self._session.send("POST", path, body={"body": body}))

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""
        path = f"{self._repository}/issues/comments/{comment.id}"
        return _make_comment(self._session.send("PATCH", path, body={"body": body}))

    def delete(self, comment: Comment) -> None:
        """Delete a comment."""
        self._session.send("DELETE", f"{self._repository}/issues/comments/{comment.id}")


def find_pull(session: ServiceSession, repository: str, branch: Branch) -> int:
    """Find the open pull request of a branch.

    A `workflow_run` event does not name a pull request from a fork, and `/commits/{sha}/pulls` does
    not list those either. The list of pull requests includes them.

    Args:
        repository: `OWNER/REPO` of the pull request.
        branch: the branch that it comes from, as the event names it.

    Raises:
        CommentError: the branch has no open pull request, or more than one.
    """
    owner = branch.repository.partition("/")[0]
    query = {"state": "open", "head": f"{owner}:{branch.name}"}
    found = [
        pull
        for pull in session.list_all(f"/repos/{repository}/pulls", query)
        if _comes_from(pull.get("head") or {}, branch)
    ]
    of_commit = [pull for pull in found if pull["head"].get("sha") == branch.sha]
    numbers = sorted(int(pull["number"]) for pull in of_commit or found)
    if len(numbers) == 1:
        return numbers[0]
    where = f"the branch {branch.name} of {branch.repository}"
    if not numbers:
        raise CommentError(f"{repository} has no open pull request from {where}")
    raise CommentError(
        f"{repository} has several open pull requests from {where}: {numbers}",
        remedy="Name the pull request: --github OWNER/REPO --pull N --head SHA",
    )


def _comes_from(head: Mapping[str, Any], branch: Branch) -> bool:
    repository = (head.get("repo") or {}).get("full_name")
    return bool(repository == branch.repository and head.get("ref") == branch.name)


def _make_comment(item: Mapping[str, Any]) -> Comment:
    return Comment(
        id=int(item["id"]),
        author=str((item.get("user") or {}).get("login", "")),
        body=str(item.get("body") or ""),
        url=str(item.get("html_url", "")),
    )
