"""A pull request's comments on GitHub, through its REST API."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.errors import CommentError
from flowflare.review.comment.decide import Comment
from flowflare.review.comment.session import NotThere, Service, Session
from flowflare.review.comment.target import Branch

SERVICE: Final = Service(
    name="GitHub",
    variable="GITHUB_TOKEN",
    permission="the permission `pull-requests: write`; set it under `permissions:` of the job",
    accept="application/vnd.github+json",
)


class GitHub:
    """One pull request.

    Args:
        session: the API.
        repository: `OWNER/REPO`, checked.
        number: the pull request's number.
    """

    def __init__(self, session: Session, repository: str, number: int) -> None:
        self._session = session
        self._repository = f"/repos/{repository}"
        self._name = f"pull request {number} in {repository}"
        self._number = number

    def author(self) -> str:
        """The login that the token writes under.

        GitHub's REST API does not tell it to the token of a workflow; GraphQL's `viewer` does, and
        spells it as comments do: `github-actions[bot]`.
        """
        address = self._session.base.removesuffix("/v3") + "/graphql"
        data = self._session.one(address, body={"query": "{viewer{login}}"}).get("data")
        login = ((data or {}).get("viewer") or {}).get("login")
        if not isinstance(login, str) or not login:
            raise CommentError(
                "GitHub does not say who the token belongs to",
                remedy="GITHUB_TOKEN must be a workflow's token, an App's, or a person's.",
            )
        return login

    def head(self) -> str:
        """The full hash of its head."""
        try:
            pull = self._session.one(f"{self._repository}/pulls/{self._number}")
        except NotThere as error:
            raise NotThere(
                f"GitHub has no {self._name}",
                remedy="Or the token does not see it: it needs `pull-requests: read` at least.",
            ) from error
        return str((pull.get("head") or {}).get("sha", ""))

    def comments(self) -> Iterator[Comment]:
        """All of its comments, oldest first."""
        path = f"{self._repository}/issues/{self._number}/comments"
        yield from map(_comment, self._session.every(path, {}))

    def create(self, body: str) -> Comment:
        """Makes a comment."""
        path = f"{self._repository}/issues/{self._number}/comments"
        return _comment(self._session.send("POST", path, body={"body": body}))

    def update(self, comment: Comment, body: str) -> Comment:
        """Gives a comment another text."""
        path = f"{self._repository}/issues/comments/{comment.id}"
        return _comment(self._session.send("PATCH", path, body={"body": body}))

    def delete(self, comment: Comment) -> None:
        """Deletes a comment."""
        self._session.send("DELETE", f"{self._repository}/issues/comments/{comment.id}")


def find_pull(session: Session, repository: str, branch: Branch) -> int:
    """The open pull request that comes from a branch.

    A `workflow_run` event names no pull request that comes from a fork, and
    `/commits/{sha}/pulls` does not list those of forks either; the list of pull requests does.

    Args:
        session: the API.
        repository: `OWNER/REPO` of the pull request.
        branch: where it comes from, as the event has it.

    Raises:
        CommentError: there is none, or more than one.
    """
    owner = branch.repository.partition("/")[0]
    query = {"state": "open", "head": f"{owner}:{branch.name}"}
    found = [
        pull
        for pull in session.every(f"/repos/{repository}/pulls", query)
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
        remedy="Name one: --github OWNER/REPO --pull N --head SHA",
    )


def _comes_from(head: Mapping[str, Any], branch: Branch) -> bool:
    repository = (head.get("repo") or {}).get("full_name")
    return bool(repository == branch.repository and head.get("ref") == branch.name)


def _comment(item: Mapping[str, Any]) -> Comment:
    return Comment(
        id=int(item["id"]),
        author=str((item.get("user") or {}).get("login", "")),
        body=str(item.get("body") or ""),
        url=str(item.get("html_url", "")),
    )
