"""A report made by an untrusted job: read strictly, or refused with one sentence."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from flowflare.errors import CommentError
from flowflare.review.comment.received import MOST_BYTES, read_report
from flowflare.review.report import ReportedCommit, make_report
from tests.unit.review.comment.forge import A, B


def report() -> dict[str, Any]:
    base, head = (
        ReportedCommit(name="main", sha=B, subject="Old"),
        ReportedCommit(name="head", sha=A, subject="New"),
    )
    made: dict[str, Any] = json.loads(
        make_report("shop", base, head, (), ("dev",)).model_dump_json()
    )
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


def test_a_report_is_read(file: Path) -> None:
    file.write_text(json.dumps(report()))
    assert read_report(file).head.sha == A


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "its format is '2', but this release reads 1"),
        ({"format": True}, "its format is 'True'"),
        ({"format": 1.0}, "its format is '1.0'"),
        ({"format": "1"}, "its format is '1'"),
        ({"extra\n::error::": 1}, "Extra inputs are not permitted"),
        ({"seconds": "3"}, "seconds: Input should be a valid integer"),
        ({"head": None}, "head: "),
        ({"project": 7}, "project: Input should be a valid string"),
        ({"unchanged": "dev"}, "unchanged: "),
        ({"exit_code": 4}, "exit_code: "),
        ({"risk": "none"}, "risk: "),
    ],
)
def test_anything_that_the_model_does_not_allow_is_refused(
    file: Path, change: dict[str, Any], said: str
) -> None:
    file.write_text(json.dumps(report() | change))
    with pytest.raises(CommentError, match=re.escape(said)) as caught:
        read_report(file)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"format": 1' + b"0" * 5_000 + b"}",
        b'{"format": NaN}',
        b'{"format": 1, "project": "\\ud800"}',
        b"PK\x03\x04",
    ],
    ids=range(10),
)
def test_a_file_that_is_not_a_report_is_refused(file: Path, text: bytes) -> None:
    file.write_bytes(text)
    with pytest.raises(CommentError, match="cannot be shown"):
        read_report(file)


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e999", "-9007199254740993"])
def test_a_number_has_a_limit(file: Path, number: str) -> None:
    file.write_text(json.dumps(report()).replace('"seconds": 0', f'"seconds": {number}'))
    with pytest.raises(CommentError, match=r"number .*larger than"):
        read_report(file)


def test_a_lone_surrogate_is_refused(file: Path) -> None:
    file.write_text(json.dumps(report()).replace('"New"', '"\\ud800"'))
    with pytest.raises(CommentError):
        read_report(file)


def test_nesting_has_a_limit(file: Path) -> None:
    deep: Any = 0
    for _ in range(80):
        deep = [deep]
    file.write_text(json.dumps(report() | {"notes": deep}))
    with pytest.raises(CommentError, match="more than 64 levels deep"):
        read_report(file)


def test_size_has_a_limit(file: Path) -> None:
    with file.open("wb") as written:
        written.truncate(MOST_BYTES + 1)
    with pytest.raises(CommentError, match="larger than 32 MiB"):
        read_report(file)


def test_a_link_in_an_artifact_is_not_followed(file: Path) -> None:
    target = file.with_name("secret")
    target.write_text(json.dumps(report()))
    file.symlink_to(target)
    with pytest.raises(CommentError, match="it is a symbolic link"):
        read_report(file)


@pytest.mark.parametrize("make_it", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_a_directory_or_pipe_is_not_read(file: Path, make_it: Any) -> None:
    make_it(file)
    with pytest.raises((CommentError, IsADirectoryError)):
        read_report(file)
