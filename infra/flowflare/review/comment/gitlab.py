"""A merge request's notes on GitLab, through its REST API."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from flowflare.errors import CommentError
from flowflare.review.comment.decide import Comment
from flowflare.review.comment.session import NotThere, Service, Session

SERVICE: Final = Service(
    name="GitLab",
    variable="GITLAB_TOKEN",
    permission="the scope `api` and the role Reporter or more; CI_JOB_TOKEN cannot write comments",
    accept="application/json",
)


class GitLab:
    """One merge request.

    Args:
        session: the API.
        project: its number, or `GROUP/PROJECT`, checked.
        number: the merge request's number within the project (`iid`).
    """

    def __init__(self, session: Session, project: str, number: int) -> None:
        self._session = session
        self._path = f"/projects/{quote(project, safe='')}/merge_requests/{number}"
        self._name = f"merge request {number} in {project}"
        self._address = ""

    def author(self) -> str:
        """The number of the user that the token writes as."""
        number = self._session.one("/user").get("id")
        if not isinstance(number, int):
            raise CommentError("GitLab does not say who the token belongs to")
        return str(number)

    def head(self) -> str:
        """The full hash of its head."""
        try:
            merge_request = self._session.one(self._path)
        except NotThere as error:
            raise NotThere(
                f"GitLab has no {self._name}", remedy="Or the token does not see it."
            ) from error
        self._address = str(merge_request.get("web_url", ""))
        return str(merge_request.get("sha") or "")

    def comments(self) -> Iterator[Comment]:
        """All that people and tokens have written, oldest first."""
        query = {"sort": "asc", "order_by": "created_at"}
        for note in self._session.every(f"{self._path}/notes", query):
            if not note.get("system"):
                yield self._comment(note)

    def create(self, body: str) -> Comment:
        """Makes a note."""
        note = self._session.send("POST", f"{self._path}/notes", body={"body": body})
        return self._comment(note)

    def update(self, comment: Comment, body: str) -> Comment:
        """Gives a note another text."""
        path = f"{self._path}/notes/{comment.id}"
        return self._comment(self._session.send("PUT", path, body={"body": body}))

    def delete(self, comment: Comment) -> None:
        """Deletes a note."""
        self._session.send("DELETE", f"{self._path}/notes/{comment.id}")

    def _comment(self, note: Mapping[str, Any]) -> Comment:
        number = int(note["id"])
        return Comment(
            id=number,
            author=str((note.get("author") or {}).get("id", "")),
            body=str(note.get("body") or ""),
            url=f"{self._address}#note_{number}" if self._address else "",
        )
