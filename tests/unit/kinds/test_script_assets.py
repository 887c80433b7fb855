"""Static assets: paths at which a Worker may run first, and files that change during an `up`."""

from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from flowflare.api import Client
from flowflare.errors import EngineError
from flowflare.kinds.script_assets.session import hash_file, upload_assets
from flowflare.kinds.script_assets.settings import AssetsConfig


class Session:
    """An API that has no file yet, and answers each request of a session."""

    def __init__(self) -> None:
        self.uploads: list[Any] = []

    def call(self, _method: str, path: str, **request: Any) -> Any:
        if path.endswith("assets-upload-session"):
            hashes = {file["hash"] for file in request["body"]["manifest"].values()}
            return {"jwt": "session", "buckets": [[name] for name in sorted(hashes)]}
        self.uploads.append(request)
        return {"jwt": "complete"} if len(self.uploads) == 2 else {}


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (["api/*"], "which is not a path"),
        (["/" + "a" * 100], "which is not a path"),
        (["!/api/*"], "for which paths"),
        ([], "for which paths"),
    ],
)
def test_path_rules_that_cloudflare_refuses_are_named(rules: list[str], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        AssetsConfig.model_validate({"directory": "public", "runWorkerFirst": rules})


def test_each_bucket_is_sent_with_the_tokens_and_types_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a b.html").write_text("home")
    (tmp_path / "logo").write_text("logo")
    (tmp_path / "again.html").write_text("home")
    home, logo = hash_file("a b.html", b"home"), hash_file("logo", b"logo")
    manifest = {"/a%20b.html": home, "/logo": logo, "/again.html": home}
    session = Session()
    client = cast(Client, session)
    assert upload_assets(client, "account", "shop", tmp_path, manifest) == "complete"
    sent = {part.name: part for upload in session.uploads for part in upload["parts"]}
    assert {name: part.content for name, part in sent.items()} == {
        home: b"aG9tZQ==",
        logo: b"bG9nbw==",
    }
    assert sent[home].content_type == "text/html; charset=utf-8"
    assert sent[logo].content_type == "application/null"
    assert {upload["headers"]["Authorization"] for upload in session.uploads} == {"Bearer session"}

    (tmp_path / "logo").unlink()
    with pytest.raises(EngineError, match="logo has changed since the plan was made"):
        upload_assets(client, "account", "shop", tmp_path, manifest)
