"""What `flowflare render` writes is what wrangler would upload."""

import json
import shutil
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.cli.command import flowflare
from tests.support.wrangler import call_wrangler

pytestmark = pytest.mark.long

CASE = Path(__file__).parent.parent / "golden/cases/client_modules"
NOTHING = "http://127.0.0.1:9/client/v4"


def test_wrangler_uploads_the_same_modules(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(CASE, project, ignore=shutil.ignore_patterns("expected*"))
    out = tmp_path / "build"
    result = flowflare("render", "-s", "dev", "-C", str(project), "--out", str(out))
    assert result.code == 0, result.err
    rendered = out / "dev-flowflare-carts"
    form = tmp_path / "form"
    words = ("deploy", "--dry-run", "--outdir", str(tmp_path / "out"), "--outfile", str(form))
    call_wrangler(rendered, *words, base_url=NOTHING, token="-", account="-")

    uploaded = read_form(form)
    metadata = json.loads(uploaded.pop("metadata"))
    ours = {file.name: file.read_bytes() for file in rendered.iterdir() if file.is_file()}
    del ours["wrangler.jsonc"]
    assert metadata["main_module"] == "worker.js"
    assert uploaded.keys() == ours.keys()
    [source_map] = [name for name in ours if name.endswith(".map")]
    assert json.loads(uploaded.pop(source_map)) == json.loads(ours.pop(source_map))
    assert uploaded == ours


def read_form(file: Path) -> dict[str, bytes]:
    """Return the parts of a multipart body by name; its first line has the boundary."""
    body = file.read_bytes()
    boundary = body.split(b"\r\n", 1)[0].removeprefix(b"--")
    head = b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n'
    parts = message_from_bytes(head + body, policy=policy.HTTP).iter_parts()
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in parts
    }
