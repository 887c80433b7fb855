"""Tests of the check in `flowflare doctor` that a store supports conditional writes."""

import json
from pathlib import Path

import pytest

from flowflare.engine.pulumi_cli.checks import bucket_check
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.objects import ObjectStore
from flowflare.state.backends.probe import find_unsupported_conditions
from flowflare.state.backends.store import ABSENT
from tests.cli.command import flowflare
from tests.engine.projects import Sample
from tests.state.wire import KEYS, Wire


class Careless(FolderStore):
    """A store that does not know some conditions, as stores of old."""

    knows: tuple[str, ...] = ()

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        kind = "If-None-Match" if only_if == ABSENT else "If-Match"
        return super().put(key, data, only_if=only_if if kind in self.knows else None)


@pytest.mark.parametrize("knows", [(), ("If-None-Match",), ("If-Match",)])
def test_a_condition_that_is_ignored_is_found_out(tmp_path: Path, knows: tuple[str, ...]) -> None:
    store = Careless(tmp_path)
    store.knows = knows
    assert {*find_unsupported_conditions(store), *knows} == {"If-None-Match", "If-Match"}
    assert store.keys("") == []
    check = bucket_check(store)
    assert (check.status, "leases would not be safe" in check.message) == ("fail", True)


def test_a_bucket_that_keeps_them_is_well(store: ObjectStore, wire: Wire) -> None:
    assert bucket_check(store).status == "ok"
    assert store.keys("") == []
    missing = bucket_check(wire.store("none"))
    assert (missing.status, "bucket does not exist" in missing.message) == ("fail", True)


@pytest.mark.parametrize("engine", ["embedded", "cli"])
def test_doctor_looks_at_the_bucket(
    sample: Sample, store: ObjectStore, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**sample.environ, "PATH": "/usr/bin:/bin"}.items():
        monkeypatch.setenv(name, value)
    stack = sample.root / "Pulumi.dev.yaml"
    written = json.loads(stack.read_text())
    address = {"cloudflare:baseUrl": "http://127.0.0.1:9/client/v4"}
    embedded = {"flowflare:engine": "embedded"} if engine == "embedded" else {}
    stack.write_text(
        json.dumps({**written, "config": {**written["config"], **address, **embedded}})
    )
    said = flowflare("doctor", "--stack", "dev", "--json", "--cwd", str(sample.root))
    checks = {check["name"]: check for check in json.loads(said.out)["checks"]}
    assert checks["bucket"]["message"] == f"{store.url} responds, and supports conditional writes"
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in said.out + said.err
