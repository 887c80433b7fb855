"""A client's static assets: which files are uploaded, under which paths, and what is refused."""

from pathlib import Path

import pytest

from flowflare.errors import RenderError
from flowflare.model.client import AssetsSpec
from flowflare.model.worker import NOT_COMPARED
from flowflare.render import packages
from flowflare.render.assets import RenderedAssets, read_assets

SPEC = AssetsSpec(directory="public", config={})


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        file = root / "public" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def read(root: Path) -> RenderedAssets:
    return read_assets(SPEC, "shop", root)


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        ("a.txt", {"/a.txt", "/x/a.txt"}),
        ("/a.txt", {"/a.txt"}),
        ("*.txt", {"/a.txt", "/x/a.txt", "/x/y/b.txt"}),
        ("x/", {"/x/a.txt", "/x/y/b.txt", "/x/c.js"}),
        ("x/*.txt", {"/x/a.txt"}),
        ("x/**", {"/x/a.txt", "/x/y/b.txt", "/x/c.js"}),
        ("**/y", {"/x/y/b.txt"}),
        ("?.txt\n!b.txt", {"/a.txt", "/x/a.txt"}),
        ("# a.txt", set()),
        # As wrangler 4.164 answered for the same files.
        ("*\n!a.txt", {"/x/a.txt", "/x/y/b.txt", "/x/c.js"}),
        ("x\n!x/a.txt", {"/x/a.txt", "/x/y/b.txt", "/x/c.js"}),
        ("x/*\n!x/a.txt", {"/x/y/b.txt", "/x/c.js"}),
        ("/x/**/", {"/x/a.txt", "/x/y/b.txt", "/x/c.js"}),
        ("*.TXT", {"/a.txt", "/x/a.txt", "/x/y/b.txt"}),
        ("[a-b].txt", {"/a.txt", "/x/a.txt", "/x/y/b.txt"}),
        ("[b-a].txt\n[.txt\n[].txt", set()),
        ("\\a.txt\r\n", {"/a.txt", "/x/a.txt"}),
        ("a.txt \n c.js", {"/a.txt", "/x/a.txt"}),
    ],
)
def test_ignored_files_are_not_uploaded(tmp_path: Path, pattern: str, left_out: set[str]) -> None:
    write(tmp_path, **{"a.txt": "a", "x/a.txt": "a", "x/y/b.txt": "b", "x/c.js": "c"})
    everything = set(read(tmp_path).manifest)
    write(tmp_path, **{".assetsignore": pattern})
    assert everything - set(read(tmp_path).manifest) == left_out


def test_server_code_of_pages_is_refused_unless_an_ignore_file_decides(tmp_path: Path) -> None:
    write(tmp_path, **{"a.txt": "a", "_worker.js/index.js": "code"})
    with pytest.raises(RenderError, match="is server code of Cloudflare") as caught:
        read(tmp_path)
    assert ".assetsignore" in str(caught.value.remedy)
    write(tmp_path, **{".assetsignore": "_worker.js\n"})
    assert list(read(tmp_path).manifest) == ["/a.txt"]


def test_a_path_is_encoded_and_its_hash_depends_on_ending_and_content(tmp_path: Path) -> None:
    write(tmp_path, **{"é (1)'.js": "one", "b.txt": "one", "c.txt": "one", ".well-known/d": ""})
    manifest = read(tmp_path).manifest
    assert list(manifest) == ["/%C3%A9%20(1)'.js", "/.well-known/d", "/b.txt", "/c.txt"]
    assert manifest["/b.txt"] == manifest["/c.txt"] != manifest["/%C3%A9%20(1)'.js"]
    assert {len(digest) for digest in manifest.values()} == {32}


def test_the_rule_files_are_settings_and_not_assets(tmp_path: Path) -> None:
    write(tmp_path, _headers="/*\n  A: b\n", _redirects="/a /b", **{"x/_headers": "an asset"})
    found = read(tmp_path)
    assert list(found.manifest) == ["/x/_headers"]
    assert found.rules == {"_headers": "/*\n  A: b\n", "_redirects": "/a /b"}


def test_what_cannot_be_uploaded_is_named_at_once(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    with pytest.raises(RenderError, match="there is no folder 'public'") as missing:
        read(root)
    assert "build" in str(missing.value.remedy)

    write(root, **{"a.txt": "a"})
    with (root / "public/large.bin").open("wb") as file:
        file.truncate(25 * 1024 * 1024 + 1)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "public/link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(RenderError) as caught:
        read(root)
    assert caught.value.message.splitlines() == [
        "client `shop`: public/large.bin has 26,214,401 bytes, and Cloudflare takes at most 25 MiB",
        "client `shop`: public/link.txt leads out of the project",
    ]


def test_a_marker_for_a_missing_folder_changes_with_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "build.js").write_text("one")
    markers = [packages.describe_missing_folder("public", tmp_path)]
    (tmp_path / "build.js").write_text("two")
    markers.append(packages.describe_missing_folder("public", tmp_path))
    assert markers[0] != markers[1]
    assert all(marker.startswith(f"{NOT_COMPARED}public, sha256 ") for marker in markers)
