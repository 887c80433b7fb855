"""Read and write a merge request's notes through GitLab's REST API."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from flowflare.errors import CommentError
from flowflare.review.comment.decide import Comment
from flowflare.review.comment.session import NotFound, Service, ServiceSession

SERVICE: Final = Service(
    name="GitLab",
    variable="GITLAB_TOKEN",
    permission="the scope `api` and at least the role Reporter; CI_JOB_TOKEN cannot write comments",
    accept="application/json",
)


class GitLab:
    """The notes of one merge request.

    Args:
        project: the project's number, or `GROUP/PROJECT`, validated.
        number: the merge request's number within the project (`iid`).
    """

    def __init__(self, session: ServiceSession, project: str, number: int) -> None:
        self._session = session
        self._path = f"/projects/{quote(project, safe='')}/merge_requests/{number}"
        self._name = f"merge request {number} in {project}"
        self._address = ""

    def read_author(self) -> str:
        """Return the number of the token's user."""
        number = self._session.get_one("/user").get("id")
        if not isinstance(number, int):
            raise CommentError("GitLab does not report which user the token belongs to")
        return str(number)

    def read_head(self) -> str:
        """Return the full hash of the merge request's head."""
        try:
            merge_request = self._session.get_one(self._path)
        except NotFound as error:
            raise NotFound(
                f"GitLab does not have {self._name}, or the token cannot read it",
                remedy="Check the number and the token's access to the project.",
            ) from error
        self._address = str(merge_request.get("web_url", ""))
        return str(merge_request.get("sha") or "")

    def list_comments(self) -> Iterator[Comment]:
        """List the notes of users and tokens, oldest first."""
        query = {"sort": "asc", "order_by": "created_at"}
        for note in self._session.list_all(f"{self._path}/notes", query):
            if not note.get("system"):
                yield self._comment(note)

    def create(self, body: str) -> Comment:
        """Create a note."""
        note = self._session.send("POST", f"{self._path}/notes", body={"body": body})
        return self._comment(note)

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a note's text."""
        path = f"{self._path}/notes/{comment.id}"
        return self._comment(self._session.send("PUT", path, body={"body": body}))

    def delete(self, comment: Comment) -> None:
        """Delete a note."""
        self._session.send("DELETE", f"{self._path}/notes/{comment.id}")

    def _comment(self, note: Mapping[str, Any]) -> Comment:
        number = int(note["id"])
        return Comment(
            id=number,
            author=str((note.get("author") or {}).get("id", "")),
            body=str(note.get("body") or ""),
            url=f"{self._address}#note_{number}" if self._address else "",
        )
