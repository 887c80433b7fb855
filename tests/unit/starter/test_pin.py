"""The wheel of a new project's requirements is named by its hash, or it is not named."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from flowflare import library
from flowflare.errors import FlowflareError
from flowflare.starter.pin import find_recorded_wheel, read_wheel

NAME = "flowflare-9.1.0-py3-none-any.whl"
LOCK = "attrs==1 \\\n    --hash=sha256:00\n"
DIGEST = "a" * 64
URL = "https://example.com/flowflare-0.1.0-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("flowflare/_data/requirements.lock", LOCK)
    return path


def digest_of(wheel: Path) -> str:
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_a_file_is_pinned_by_its_hash_with_the_packages_that_it_needs(wheel: Path) -> None:
    pinned = read_wheel(str(wheel))
    text = pinned.write_requirements()
    assert text.endswith(f"./vendor/{NAME} \\\n    --hash=sha256:{digest_of(wheel)}\n{LOCK}")
    assert pinned.content == wheel.read_bytes()


def test_a_url_is_pinned_by_the_hash_that_the_user_gives() -> None:
    pinned = read_wheel(f"{URL}#sha256={DIGEST}")
    lock = library.requirements_lock().read_text("utf-8")
    expected = f"flowflare @ {URL} \\\n    --hash=sha256:{DIGEST}\n{lock}"
    assert pinned.write_requirements().endswith(expected)
    assert pinned.content is None


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (URL, "is not an https URL with a SHA-256"),
        (f"{URL.replace('https', 'http')}#sha256={DIGEST}", "is not an https URL with a SHA-256"),
        (f"{URL}#sha256=abc", "is not an https URL with a SHA-256"),
        (f"{URL}?token=canary#sha256={DIGEST}", "contains credentials or a query"),
        (f"{URL.replace('//', '//me:canary@')}#sha256={DIGEST}", "contains credentials or a query"),
        (f"{URL.replace('0.1.0', '0.2.0')}#sha256={DIGEST}", "0.2.0, but this is Flowflare 0.1.0"),
        (f"https://example.com/other.whl#sha256={DIGEST}", "not the name of a wheel of Flowflare"),
        ("missing.whl", "missing.whl: No such file or directory"),
        (__file__, "is not a wheel of Flowflare"),
    ],
)
def test_what_cannot_be_pinned_is_refused(place: str, message: str) -> None:
    with pytest.raises(FlowflareError, match=message) as refused:
        read_wheel(place)
    assert "canary" not in str(refused.value)


def test_a_renamed_wheel_is_refused(wheel: Path) -> None:
    renamed = wheel.rename(wheel.with_name("ours"))
    with pytest.raises(FlowflareError, match="ours is not the name of a wheel"):
        read_wheel(str(renamed))


@pytest.mark.parametrize("recorded", [True, False], ids=["as pip", "as uv, without the hash"])
def test_the_wheel_that_was_installed_is_found_by_its_record(wheel: Path, recorded: bool) -> None:
    archive = {"hashes": {"sha256": digest_of(wheel)}} if recorded else {}
    found = find_recorded_wheel({"url": wheel.as_uri(), "archive_info": archive})
    assert found is not None
    assert (found.name, found.sha256) == (NAME, digest_of(wheel))


def test_an_installation_from_a_url_is_found_by_its_record() -> None:
    found = find_recorded_wheel({"url": URL, "archive_info": {"hashes": {"sha256": DIGEST}}})
    assert found is not None
    assert (found.url, found.sha256) == (URL, DIGEST)


@pytest.mark.parametrize(
    "origin",
    [
        {},
        {"url": "file:///work", "dir_info": {"editable": True}},
        {"url": URL, "archive_info": {}},
        {"url": "file:///gone/flowflare-0.1.0-py3-none-any.whl", "archive_info": {}},
    ],
    ids=["an index", "a checkout", "a URL without its hash", "a file that was removed"],
)
def test_any_other_installation_is_not_pinned(origin: dict[str, Any]) -> None:
    assert find_recorded_wheel(origin) is None


def test_a_wheel_that_changed_since_it_was_installed_is_not_pinned(wheel: Path) -> None:
    archive = {"hashes": {"sha256": DIGEST}}
    assert find_recorded_wheel({"url": wheel.as_uri(), "archive_info": archive}) is None
